/** What an app says and gets of an access token in its page. Types alone. */
import type { PageClock } from './clock.js';
import type { TokenEnd, TokenTexts } from './token-texts.js';

export interface AccessTokenOptions {
  /** Where the API serves the guard's routes. Default `/token`. Of another origin: `https://api.example/token`. */
  readonly base?: string;
  /** Where the API tells the figures of its policy. Default `/api/auth/config`, at the origin of `base`. */
  readonly configUrl?: string;
  /**
   * The app's endpoint that gives the next token for a live sign-in (sliding access). It is asked by POST with the present one, and
   * answers `{ accessToken }`. Default: nothing lengthens a token.
   */
  readonly renewUrl?: string;
  /** Gets the next token in another way, such as the code flow with `prompt=none`. `undefined`: there is none. It may throw. */
  readonly renew?: (token: string) => Promise<string | undefined>;
  /** Further origins that `fetch` sends the token to. Default: that of `base` alone. */
  readonly origins?: readonly string[];
  /** Tells two apps of one origin apart. */
  readonly app?: string;
  /** The path whose limits count. Default: that of the page. */
  readonly path?: () => string;
  /** Where people sign in. After the end the page links there with `return_to`, the path where one was. */
  readonly signInUrl?: string;
  /** Called with each end. */
  readonly onEnd?: (end: TokenEnd) => void;
  /** Default: English. German: `germanTokens` of `@dormouse/browser/tokens/de`. */
  readonly texts?: Partial<TokenTexts>;
  readonly clock?: PageClock;
  readonly fetch?: typeof fetch;
}

/** The token is kept in this page's memory alone. */
export interface AccessToken {
  /** Begins with the token of a sign-in. Shows the page again where an end had covered it. Resolves once the server was asked. */
  signedIn(token: string): Promise<void>;
  /** The token that is good as far as the page knows; `undefined`: nobody is signed in. */
  current(): string | undefined;
  /**
   * `fetch` with the token; an answer that refuses it ends the sign-in in the page.
   * @throws Error where nobody is signed in, or the address is of an origin that the token is not for. TypeError as `fetch`
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Asks the server. Never a use. */
  check(): Promise<void>;
  /** Ends the sign-in, for all tabs that share its session. */
  signOut(): Promise<void>;
  stop(): void;
}
