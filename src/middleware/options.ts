/** The options of the middleware. Types, defaults and their check; imports nothing that runs. */
import type { ActivityKind, Dormouse } from '../client.js';

/** An identity whose session or token was verified. */
export interface VerifiedIdentity {
  /** UUID of the Kratos identity. */
  readonly identityId: string;
  /** `human` for a session, `token` for a token. */
  readonly kind: ActivityKind;
}

/** Verify tokens at Hydra: detects a revocation at once (within `cacheMs`). */
export interface IntrospectionOptions {
  readonly introspection: {
    /** Hydra's admin API. Must never be reachable from outside. */
    readonly hydraAdminUrl: string;
  };
}

/**
 * Verify tokens by their signature: no call per token, but a revocation is not
 * detected until the token expires.
 */
export interface JwksOptions {
  readonly jwks: {
    /** The issuer's key set, such as `https://hydra.example/.well-known/jwks.json`. */
    readonly url: string;
    /** Must equal the token's `iss`. */
    readonly issuer: string;
    /** Must be among the token's `aud`: a token for another API does not count. */
    readonly audience: string;
  };
}

export interface ActivityOptions<Request> {
  /** Opened by `createDormouse`; closed by the app. */
  readonly dormouse: Pick<Dormouse, 'noteActivity'>;
  /** Verify Kratos sessions: the session cookie, or `X-Session-Token`. */
  readonly kratos?: {
    readonly publicUrl: string;
    /** Only cookies whose name has this prefix are sent to Kratos. Default `ory_kratos_session`. */
    readonly cookiePrefix?: string;
  };
  /** Verify `Authorization: Bearer` tokens. */
  readonly tokens?: IntrospectionOptions | JwksOptions;
  /**
   * The identity that made the request, where the app has verified it already; `undefined` for none. Must
   * come from a verified session or token, never from the caller's own claims (a header, a body, a query).
   * Called once the response is sent. Replaces `kratos` and `tokens`.
   */
  readonly identify?: (
    request: Request,
  ) => VerifiedIdentity | undefined | Promise<VerifiedIdentity | undefined>;
  /**
   * Requests that no person makes, such as polling in the background: they are no sign of life. Requests with
   * the header `x-dormouse-background: 1` never are, whatever this returns.
   */
  readonly ignore?: (request: Request) => boolean;
  /** The source of the sign: a short name without personal data. Default `web`. */
  readonly source?: string;
  /** How long a verdict about one credential is cached, milliseconds. Default 30,000. */
  readonly cacheMs?: number;
  /** Most credentials cached, each as a SHA-256. Default 10,000. */
  readonly cacheEntries?: number;
  /** How long one verification may take, milliseconds. Default 2,000. */
  readonly verifyTimeoutMs?: number;
  /** Most verifications at a time. Requests beyond it are skipped and counted. Default 20. */
  readonly maxInFlight?: number;
  /** Called with each failure, which holds no credential. Errors that it throws are ignored. */
  readonly onError?: (error: Error) => void;
}

/** Counts of the requests so far, by outcome. */
export interface ActivityCounters {
  /** Passed to the client. */
  readonly noted: number;
  /** No sign of life: answered other than 2xx or 304, in the background, or ignored by the app. */
  readonly ignored: number;
  /** Without a credential, or with one that proved nothing. */
  readonly anonymous: number;
  /** Not verified, because too many verifications were running. */
  readonly skipped: number;
  /** Verification failed: Kratos, Hydra or the key set did not answer, or `identify` threw. */
  readonly failed: number;
}

/**
 * A page sends this request header when no person is present. It can only suppress signs
 * of life, so it needs no trust.
 */
export const backgroundHeader = 'x-dormouse-background';

/** @throws TypeError when no way to verify is given: there is no option for unverified identities */
export function checkOptions(options: ActivityOptions<never>): void {
  if (options.identify ?? options.kratos ?? options.tokens) return;
  throw new TypeError('Say how requests are verified: pass kratos, tokens, or identify.');
}
