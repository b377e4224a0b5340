/** The library of access tokens as a script of a page without modules: the global `DormouseTokens`. */
import { returnTarget, startAccessToken } from './tokens.js';

Object.assign(globalThis, { DormouseTokens: { returnTarget, startAccessToken } });
