/** What an app says and gets of an idle session. Types alone. */
import type { PageClock } from './clock.js';
import type { EndReason, Texts } from './texts.js';

export interface IdleSessionOptions {
  /** Where the app serves the guard's routes. Default `/session`. */
  readonly base?: string;
  /** Tells two apps of one origin apart. */
  readonly app?: string;
  /** The path whose limits count. Default: that of the page. */
  readonly path?: () => string;
  /** Where people sign in. After the end the page links there with `return_to`, the path where one was. */
  readonly signInUrl?: string;
  /**
   * Saves drafts: before a sign-out that the person asked for, and as soon as the page learns of any other end. Then the server takes nothing
   * any more, and the page is covered but still there. Waited for two seconds at most before the page is left.
   */
  readonly onBeforeSignOut?: (reason: Exclude<EndReason, 'unreachable'>) => void | Promise<void>;
  /** Called once with the end. */
  readonly onEnd?: (reason: Exclude<EndReason, 'unreachable'>) => void;
  /** Default: English. German: `german` of `@dormouse/browser/de`. */
  readonly texts?: Partial<Texts>;
  /** Origins of frames that may report input: `parent.postMessage({ type: 'dormouse:presence' }, …)`. */
  readonly frameOrigins?: readonly string[];
  readonly clock?: PageClock;
  readonly fetch?: typeof fetch;
}

export interface IdleSession {
  /** Ends the session in every tab. */
  signOut(): Promise<void>;
  /** Keeps the session from its idle end while the work goes on, as long as the policy allows. */
  hold<T>(work: Promise<T> | (() => Promise<T>)): Promise<T>;
  /** Asks the server. Never renews. */
  check(): Promise<void>;
  stop(): void;
}
