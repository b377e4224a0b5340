/** Whether a personal access token is live at a moment, when it ends, and why. Epoch milliseconds only: no calendar. Pure. */
import { assertUnreachable } from '../assert.js';
import { given } from '../given.js';
import type { Stage } from '../rungs.js';
import type { PersonalLimits } from './personal-limits.js';
import type { PersonalTokensPolicy } from './personal-policy.js';

/** Why the row of a token is over. */
export const tokenEnds = ['revoked', 'rotated', 'expired', 'inactive'] as const;
export type TokenEnd = (typeof tokenEnds)[number];

/** The times of a token, epoch milliseconds. */
export interface TokenTimes {
  readonly createdAt: number;
  /** As it was created with; absent: without expiry of its own. */
  readonly expiresAt?: number;
  /** Absent: never used. */
  readonly lastUsedAt?: number;
}

/** What the engine says of the owner. */
export interface TokenOwner {
  /** Absent: the engine does not watch the identity. */
  readonly stage?: Stage;
  readonly isDisabledByAdmin?: true;
  /** Exempt or on hold: nothing is done for inactivity. */
  readonly isSpared?: true;
}

export interface LiveToken {
  readonly state: 'live';
  /** When it expires, epoch milliseconds; `null`: never. */
  readonly expiresAt: number | null;
  /** When it ends where nobody uses it, epoch milliseconds; `null`: never. */
  readonly inactiveAt: number | null;
}

export interface RefusedToken {
  readonly state: 'refused';
  readonly why: TokenEnd | 'owner';
  /** The rule of the policy; absent where none ended it. */
  readonly rule?: string;
  /** When the limit was reached, epoch milliseconds. */
  readonly at?: number;
}

export type TokenVerdict = LiveToken | RefusedToken;

/** @param now epoch milliseconds. Times after it (another machine's clock) count as now, so that they lengthen nothing */
export function judgeToken(
  token: TokenTimes & { readonly ended?: TokenEnd },
  limits: PersonalLimits,
  owner: TokenOwner,
  policy: Pick<PersonalTokensPolicy, 'refusedFrom'>,
  now: number,
): TokenVerdict {
  if (token.ended !== undefined) return { state: 'refused', why: token.ended };
  if (isOwnerRefused(owner, policy.refusedFrom)) return { state: 'refused', why: 'owner' };
  const expiry = expiryOf(token, limits, now);
  const inactiveAt = owner.isSpared === true ? null : inactiveAtOf(token, limits, now);
  // guard: tokens: the end is the instant of the limit
  const over = [
    { why: 'expired' as const, at: expiry.at, rule: expiry.rule },
    { why: 'inactive' as const, at: inactiveAt, rule: limits.inactiveRule },
  ].flatMap(({ at, ...end }) => (at !== null && now >= at ? [{ ...end, at }] : []));
  const [first, second] = over;
  if (first === undefined) return { state: 'live', expiresAt: expiry.at, inactiveAt };
  const { why, at, rule } = second !== undefined && second.at < first.at ? second : first;
  return { state: 'refused', why, at, ...given({ rule }) };
}

/** The earlier of its own expiry and the ceiling: a ceiling that is lowered holds for tokens that exist. */
function expiryOf(
  { createdAt, expiresAt }: TokenTimes,
  { lifetimeMs, lifetimeRule }: PersonalLimits,
  now: number,
): { at: number | null; rule?: string } {
  const ceiling = lifetimeMs === null ? null : Math.min(createdAt, now) + lifetimeMs;
  if (ceiling !== null && (expiresAt === undefined || ceiling < expiresAt)) {
    return { at: ceiling, rule: lifetimeRule };
  }
  return { at: expiresAt ?? null };
}

function inactiveAtOf(
  { createdAt, lastUsedAt = createdAt }: TokenTimes,
  { inactiveMs }: PersonalLimits,
  now: number,
): number | null {
  // guard: tokens: a time in the future lengthens nothing
  return inactiveMs === null ? null : Math.min(Math.max(createdAt, lastUsedAt), now) + inactiveMs;
}

function isOwnerRefused(
  { stage, isDisabledByAdmin }: TokenOwner,
  from: PersonalTokensPolicy['refusedFrom'],
): boolean {
  if (isDisabledByAdmin === true) return true;
  switch (stage) {
    case 'deleted':
    case 'deactivated':
      return true;
    case 'revoked':
      return from !== 'deactivated';
    case 'suspended':
      return from === 'suspended';
    case 'active':
    case 'warned':
    case undefined:
      return false;
    default:
      return assertUnreachable(stage);
  }
}

/** @returns the scopes that the token lacks, in the order asked for */
export function missingScopes(held: readonly string[], needed: readonly string[]): string[] {
  return needed.filter((scope) => !held.includes(scope));
}
