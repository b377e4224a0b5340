/** The options of personal access tokens in an app. Types and defaults; imports nothing that runs. */
import type { Dormouse } from '../../client.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import type { PolicyOption } from '../policy-source.js';
import type { SecurityLog } from '../security-log.js';

export type { SecurityLog } from '../security-log.js';

/** The member `tokens.personal` as a policy file writes it: `{ inactive: '365d', scopes: ['repo:read'] }`. */
export type PersonalTokensFields = { readonly [field in keyof PersonalTokensPolicy]?: unknown };

export interface PersonalTokensOptions {
  /** Dormouse's database. The role of an app suffices (docs/operations). */
  readonly postgresUrl: string;
  /** The app's own, or the latest published version of a policy. Only tokens of a published policy are ended by the engine's sweep. */
  readonly policy: PolicyOption<PersonalTokensFields>;
  /** Notes a use as a sign of life of kind `token`. */
  readonly dormouse?: Pick<Dormouse, 'noteActivity'>;
  /** Gets one line for each token that is refused, without the token. Default: none. */
  readonly log?: SecurityLog;
  /** Gets what went wrong beside a request: a last use that could not be written, a policy that could not be read. */
  readonly onError?: (error: unknown) => void;
  /**
   * How long an answer of PostgreSQL about a token is used, milliseconds. An end and a change of the owner's standing are heard of at
   * once; this bounds what a silent network hides. 0: each request asks. Default 10,000.
   */
  readonly cacheMs?: number;
  /** Most tokens in memory, each as a SHA-256. Default 10,000. */
  readonly cacheEntries?: number;
  /** How often the policy is read again, where it is not fixed, milliseconds. Default 10,000. */
  readonly policyMs?: number;
  /** Epoch milliseconds. Default: the clock of the database, so that all instances agree. */
  readonly clock?: () => number;
  /** Default: random bytes of the operating system. For tests. */
  readonly random?: (length: number) => Uint8Array;
}

/** Who made a request, by a token that is live. */
export interface VerifiedToken {
  readonly identityId: string;
  readonly tokenId: string;
  readonly type: string;
  readonly scopes: readonly string[];
  /** Epoch milliseconds; `null`: never. */
  readonly expiresAt: number | null;
  /** When it ends where nobody uses it, epoch milliseconds; `null`: never. */
  readonly inactiveAt: number | null;
}

/** How one request is treated. */
export interface TokenRules {
  /** What the token must hold, all of them. */
  readonly scopes?: readonly string[];
  /**
   * A request without a token of this installation's prefix passes, and `request.personalToken` is `null`: the app's own
   * authentication decides. A token that is not good is refused all the same.
   */
  readonly optional?: boolean;
}
