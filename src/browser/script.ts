/** The library as a script of a page without modules: the global `Dormouse`. */
import { presenceMessage, startIdleSession } from './index.js';

Object.assign(globalThis, { Dormouse: { presenceMessage, startIdleSession } });
