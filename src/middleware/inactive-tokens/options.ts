/** The options of the guard of access tokens. Types and defaults; imports nothing that runs. */
import type { JSONWebKeySet } from 'jose';
import type { Dormouse } from '../../client.js';
import type { AccessClaims } from '../../domain/tokens/access-claims.js';
import type { AccessTokensPolicy } from '../../domain/tokens/access-policy.js';
import type { AccessEnd, EndKind, GoodToken } from '../../domain/tokens/access-verdict.js';
import type { PolicyOption } from '../policy-source.js';
import type { SecurityLog } from '../security-log.js';

/** The section `tokens.access` as a policy file writes it: `{ idle: '20m', routes: { '/billing': '5m' } }`. */
export type AccessTokensFields = { readonly [field in keyof AccessTokensPolicy]?: unknown };

/** Keys come from here alone: nothing that a token says (`jku`, `jwk`, `x5u`, `kid` as a path) is followed. */
export type KeysOption =
  /** The issuer's key set, such as `https://hydra.example/.well-known/jwks.json`. */
  | { readonly jwksUrl: string }
  | { readonly jwks: JSONWebKeySet }
  /** Of an app that issues its own tokens: 32 bytes at least. The algorithm is HS256 unless another is named. */
  | { readonly secret: string | Uint8Array };

export interface InactiveTokensOptions {
  /** Dormouse's database: last uses of tokens. The role of an app suffices (docs/operations). */
  readonly postgresUrl: string;
  readonly keys: KeysOption;
  /** Algorithms that are taken. Default: RS256, PS256, ES256 and EdDSA; HS256 with a secret. Never both kinds. */
  readonly algorithms?: readonly string[];
  /** `iss` is one of these. */
  readonly issuer: string | readonly string[];
  /** `aud` names one of these: a token for another API is none for this. */
  readonly audience: string | readonly string[];
  /** `typ` is one of these, whatever their letter case. Default: `at+jwt` (RFC 9068) and `JWT`. */
  readonly types?: readonly string[];
  readonly policy: PolicyOption<AccessTokensFields>;
  /** The Kratos identity of a token; `undefined`: none, so that it is refused. Default: `sub`, where it is a UUID and not the client. */
  readonly identityOf?: (claims: AccessClaims) => string | undefined;
  /** Further roles of an identity, besides the claims `roles` and `role`. They only tighten. */
  readonly roles?: (identityId: string) => readonly string[];
  /** An idle limit of the person's own, milliseconds. It only tightens. */
  readonly idleOf?: (identityId: string) => number | undefined;
  /** Notes uses as signs of life. */
  readonly dormouse?: Pick<Dormouse, 'noteActivity'>;
  /** Keeps a log of requests and refusals, which people read of their own (`GET /api/logs/recent`). Default: none. */
  readonly requestLog?: {
    /** The app's name in the log. */
    readonly app: string;
    /** Who may read everybody's lines of this app. Default: nobody. */
    readonly isOperator?: (token: GuardedToken) => boolean;
  };
  /** Gets one line for each refusal, without the token. Default: none. */
  readonly log?: SecurityLog;
  /** How long a signature that was verified counts, milliseconds. Default 300,000. */
  readonly verifyMs?: number;
  /** How long fetching the key set may take, milliseconds. Default 2,000. */
  readonly verifyTimeoutMs?: number;
  /** How often what changed elsewhere is read again, milliseconds. A notification is faster. Default 2,000. */
  readonly pollMs?: number;
  /** How old what is known of ends elsewhere may be, milliseconds, before each request asks PostgreSQL. Default 5,000. */
  readonly staleMs?: number;
  /** Most tokens, uses and people in memory, each. Default 100,000. */
  readonly cacheEntries?: number;
  /** Epoch milliseconds. Default: the clock of the database, so that all instances agree. */
  readonly clock?: () => number;
  /** Runs between a judgement and the write that follows it, for tests. */
  readonly beforeWrite?: () => Promise<void>;
}

/** Who made the request, and how long the token lives. */
export interface GuardedToken {
  readonly identityId: string;
  readonly claims: AccessClaims;
  /** Absent where nothing but the token's own times was judged (`whenUnavailable: time`). */
  readonly verdict?: GoodToken;
}

/** Why a token is refused that was not even issued for this API, or by nobody that is trusted. */
export type Forgery =
  | 'malformed'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'type'
  | 'claims'
  | 'issuer'
  | 'audience'
  | 'subject';

export interface TokenEnd {
  readonly kind: EndKind;
  readonly reason: AccessEnd | Forgery;
  /** Epoch milliseconds. */
  readonly endedAt?: number;
  readonly rule?: string;
}

/** How one request is treated. */
export interface TokenRules {
  /** The route needs no token. A good one is handed over all the same. */
  readonly public?: boolean;
  /** No person made the request: it is judged, and renews nothing. */
  readonly background?: boolean;
}

/** What the plugin and the middleware take beyond the guard's own options. */
export interface InactiveTokensAppOptions<Request> extends InactiveTokensOptions {
  /** How a request is treated. In Fastify also by the route: `config: { dormouseToken: { public: true } }`. */
  readonly rules?: (request: Request) => TokenRules | undefined;
}
