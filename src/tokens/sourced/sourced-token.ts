/** A row of an app's table of tokens, as the pure rules judge it: never by what the app's own condition says of it. Pure. */
import { given } from '../../domain/given.js';
import { isIdentityId } from '../../domain/identity-id.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { judgeToken, type TokenTimes } from '../../domain/tokens/personal-verdict.js';

/** As it comes from the app. Times in epoch milliseconds, perhaps infinite or fractions. */
export interface SourcedRow {
  readonly id: string;
  /** How often the id was among the rows. */
  readonly rows: number;
  readonly identity: string | null;
  readonly created: number | null;
  readonly used: number | null;
  readonly expires: number | null;
}

export interface SourcedToken extends TokenTimes {
  readonly id: string;
  readonly identityId: string;
}

/** Why nothing may be done by a row. */
export type Unusable =
  | 'no-id'
  | 'id-twice'
  | 'no-identity'
  | 'no-creation'
  | 'strange-time'
  /** Kratos has the owner in a form that can't be read. */
  | 'owner-unreadable';

const latestAt = Date.UTC(3000, 0, 1);
const isTime = (at: number | null): at is number =>
  at !== null && Number.isFinite(at) && at >= 0 && at <= latestAt;
const longestId = 200;

/**
 * A token whose row says nothing certain stays: an id that is missing, too long or there twice, an owner that is no UUID, no creation,
 * an infinite or absurd time. An expiry of `infinity` is none.
 */
export function sourcedToken(row: SourcedRow): SourcedToken | Unusable {
  const { id, rows, identity, created, used, expires } = row;
  if (id === '' || id.length > longestId) return 'no-id';
  if (rows !== 1) return 'id-twice';
  if (identity === null || !isIdentityId(identity)) return 'no-identity';
  if (created === null) return 'no-creation';
  const expiresAt = expires === Number.POSITIVE_INFINITY ? null : expires;
  if (!isTime(created) || (used !== null && !isTime(used)) || (expiresAt !== null && !isTime(expiresAt))) {
    return 'strange-time';
  }
  return {
    ...{ id, identityId: identity.toLowerCase(), createdAt: Math.ceil(created) },
    ...given({
      lastUsedAt: used === null ? undefined : Math.ceil(used),
      expiresAt: expiresAt === null ? undefined : Math.ceil(expiresAt),
    }),
  };
}

export interface SourcedEnd {
  readonly token: SourcedToken;
  readonly why: 'inactive' | 'expired';
  readonly rule?: string;
  /** When the limit was reached, epoch milliseconds. */
  readonly endedAt: number;
}

/** @param judgedAt epoch milliseconds. @param isSpared its owner is exempt or on hold. @returns `undefined` where it is over no limit */
export function sourcedEnd(
  token: SourcedToken,
  type: string,
  policy: PersonalTokensPolicy,
  { judgedAt, isSpared = false }: { readonly judgedAt: number; readonly isSpared?: boolean },
): SourcedEnd | undefined {
  const owner = isSpared ? { isSpared: true as const } : {};
  const verdict = judgeToken(token, personalLimits(policy, { type, roles: [] }), owner, policy, judgedAt);
  if (verdict.state === 'live' || verdict.at === undefined) return undefined;
  const { why, rule, at } = verdict;
  return why === 'inactive' || why === 'expired'
    ? { token, why, endedAt: at, ...given({ rule }) }
    : undefined;
}

/** The SELECT's $1: what was used after it is over no limit of the type. @returns `undefined` where the policy limits nothing */
export function cutoffOf(type: string, policy: PersonalTokensPolicy, judgedAt: number): number | undefined {
  const { inactiveMs, lifetimeMs } = personalLimits(policy, { type, roles: [] });
  const limits = [inactiveMs, lifetimeMs].filter((ms) => ms !== null);
  return limits.length === 0 ? undefined : judgedAt - Math.min(...limits);
}
