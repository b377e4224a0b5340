/** The options of the session guard. Types and defaults; imports nothing that runs. */
import type { Dormouse } from '../../client.js';
import type { SessionsPolicy, StepUpRule } from '../../domain/sessions/policy.js';
import type { LiveVerdict } from '../../domain/sessions/verdict.js';
import type { PolicyOption } from '../policy-source.js';
import type { SecurityLog } from '../security-log.js';

/** The section `sessions` as a policy file writes it: `{ preset: 'saas', routes: { '/billing': '5m' } }`. */
export type SessionsFields = { readonly [field in keyof SessionsPolicy]?: unknown };

/** Who made the request, and how long the session lives. */
export interface GuardedSession {
  readonly identityId: string;
  readonly sessionId: string;
  readonly assurance: 'aal1' | 'aal2' | 'aal3';
  readonly roles: readonly string[];
  /** Epoch milliseconds. */
  readonly authenticatedAt: number;
  readonly lastActiveAt: number;
  readonly verdict: LiveVerdict;
}

export interface GuardOptions {
  /** Dormouse's database: rows of sessions. The role of an app suffices (docs/operations). */
  readonly postgresUrl: string;
  readonly kratos: {
    readonly publicUrl: string;
    /** Only cookies whose name has this prefix are sent to Kratos. Default `ory_kratos_session`. */
    readonly cookiePrefix?: string;
    /** Ends expired sessions in Kratos at once, and reads roles of `metadata_admin`. Absent: the engine's sweep ends them. */
    readonly adminUrl?: string;
    readonly token?: string;
  };
  /** Ends linked logins (`linkLogin`) with the session. */
  readonly hydra?: { readonly adminUrl: string };
  readonly policy: PolicyOption<SessionsFields>;
  /** Notes a renewal as a sign of life. */
  readonly dormouse?: Pick<Dormouse, 'noteActivity'>;
  /** Further roles of an identity, as far as the app knows them. They only tighten. */
  readonly roles?: (session: {
    readonly identityId: string;
    readonly sessionId: string;
  }) => readonly string[];
  /** Gets one line for each request that could not be judged. Default: none. */
  readonly log?: SecurityLog;
  /** How long Kratos' answer about a credential is used, milliseconds. Default 30,000. */
  readonly verifyMs?: number;
  /** How long one call to Kratos may take, milliseconds. Default 2,000. */
  readonly verifyTimeoutMs?: number;
  /** How often ended sessions, choices and the policy are read again, milliseconds. A notification is faster. Default 2,000. */
  readonly pollMs?: number;
  /** How old what is known of ended sessions may be, milliseconds, before each request asks PostgreSQL. Default 5,000. */
  readonly staleMs?: number;
  /**
   * A session's presence is written at most once in this time, milliseconds. Default: a tenth of the shortest idle limit, a minute at
   * most. More than a fifth of the shortest idle limit is refused.
   */
  readonly writeEveryMs?: number;
  /** Most sessions in memory. Default 100,000. */
  readonly cacheEntries?: number;
  /** Epoch milliseconds. Default: the clock of the database, so that all instances agree. */
  readonly clock?: () => number;
  /** Runs between a judgement and the write that follows it, for tests. */
  readonly beforeWrite?: () => Promise<void>;
}

/** How one request is treated. */
export interface RequestRules {
  /** The route needs no session. A live one is handed over all the same. */
  readonly public?: boolean;
  /** No person made the request: it never renews. */
  readonly background?: boolean;
  /** What happens while nothing can be judged. Default: as the policy says. */
  readonly whenUnavailable?: 'refuse' | 'open';
  /** What the route asks of the sign-in, besides the policy: `{ maxAge: 300_000, acr: 'aal2' }`, in milliseconds (RFC 9470). */
  readonly stepUp?: StepUpRule;
}

export interface SessionEndForPages {
  readonly reason: string;
  readonly rule?: string;
}

/** What the plugin and the middleware take beyond the guard's own options. */
export interface IdleSessionOptions<Request> extends GuardOptions {
  /** Where the routes are served. Default `/session`. */
  readonly prefix?: string;
  /** Origins that may change something, such as `https://app.example`. Default: the one that the request's `Host` names. */
  readonly origins?: readonly string[];
  /** How a request is treated. In Fastify also by the route: `config: { dormouse: { public: true } }`. */
  readonly rules?: (request: Request) => RequestRules | undefined;
  /** Where a page is sent whose session ended or is missing; `undefined`: it is answered 401. For requests that accept HTML. */
  readonly signInUrl?: (request: Request, end: SessionEndForPages) => string | undefined;
}
