/** What an app says when it puts the middleware in. Types, defaults and their check; imports nothing that runs. */
import type { ActivityKind, Dormouse } from '../client.js';

/** Somebody whose session or token was verified. */
export interface VerifiedIdentity {
  /** UUID of the Kratos identity. */
  readonly identityId: string;
  /** `human` for a session, `token` for a token. */
  readonly kind: ActivityKind;
}

/** Tokens are verified at Hydra: sees a revocation at once (within `cacheMs`). */
export interface IntrospectionOptions {
  readonly introspection: {
    /** Hydra's admin API; never reachable from outside. */
    readonly hydraAdminUrl: string;
  };
}

/** Tokens are verified by their signature: no call a token, but blind to revocation until the token expires. */
export interface JwksOptions {
  readonly jwks: {
    /** The issuer's key set, as `https://hydra.example/.well-known/jwks.json`. */
    readonly url: string;
    /** Must equal the token's `iss`. */
    readonly issuer: string;
    /** Must be among the token's `aud`: a token made for another API counts nothing here. */
    readonly audience: string;
  };
}

export interface ActivityOptions<Request> {
  /** Opened by `createDormouse`; closed by the app. */
  readonly dormouse: Pick<Dormouse, 'noteActivity'>;
  /** Verify Kratos sessions: the session cookie, or `X-Session-Token`. */
  readonly kratos?: {
    readonly publicUrl: string;
    /** Cookies whose name begins so are shown to Kratos, and no others. Default `ory_kratos_session`. */
    readonly cookiePrefix?: string;
  };
  /** Verify `Authorization: Bearer` tokens. */
  readonly tokens?: IntrospectionOptions | JwksOptions;
  /**
   * Who made the request, where the app has verified that already; `undefined` for nobody. Must come from a verified
   * session or token, never from what the caller claims (a header, a body, a query). Called once the response is
   * sent. Takes the place of `kratos` and `tokens`.
   */
  readonly identify?: (
    request: Request,
  ) => VerifiedIdentity | undefined | Promise<VerifiedIdentity | undefined>;
  /**
   * Requests that are nobody's doing, such as polling in the background: they are not activity. Those with the header
   * `x-dormouse-background: 1` never are, whatever this answers.
   */
  readonly ignore?: (request: Request) => boolean;
  /** Where it was seen: a short name without personal data. Default `web`. */
  readonly source?: string;
  /** How long an answer about one credential is believed, milliseconds. Default 30,000. */
  readonly cacheMs?: number;
  /** Credentials remembered at most, each as a SHA-256. Default 10,000. */
  readonly cacheEntries?: number;
  /** How long one verification may take, milliseconds. Default 2,000. */
  readonly verifyTimeoutMs?: number;
  /** Verifications under way at most; beyond it requests are skipped and counted. Default 20. */
  readonly maxInFlight?: number;
  /** Told of each failure; it holds no credential. What it throws is ignored. */
  readonly onError?: (error: Error) => void;
}

/** What became of the requests so far. */
export interface ActivityCounters {
  /** Handed to the client. */
  readonly noted: number;
  /** Not activity: answered other than 2xx or 304, in the background, or ignored by the app. */
  readonly ignored: number;
  /** Without a credential, or with one that proved nothing. */
  readonly anonymous: number;
  /** Not looked at, because too many verifications were under way. */
  readonly skipped: number;
  /** Could not be verified: Kratos, Hydra or the key set did not answer, or `identify` threw. */
  readonly failed: number;
}

/** The request header by which a page says that nobody is there: it can only ever reduce activity, so it needs no trust. */
export const backgroundHeader = 'x-dormouse-background';

/** @throws TypeError when nothing says how to verify: taking an identity on trust is not offered. */
export function checkOptions(options: ActivityOptions<never>): void {
  if (options.identify ?? options.kratos ?? options.tokens) return;
  throw new TypeError('Say how requests are verified: pass kratos, tokens, or identify.');
}
