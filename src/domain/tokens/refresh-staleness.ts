/** Which refresh families are stale, and which of them a sign-in revokes. Pure. */
import type { RefreshPolicy } from './refresh-policy.js';

/** Where a request came from, as far as it is known. */
export interface RequestOrigin {
  /** The whole address. Absent: unknown, or cut to a prefix. */
  readonly address?: string;
  readonly userAgent?: string;
}

/** What the rules judge a family by. Times in epoch milliseconds. */
export interface FamilyFacts extends RequestOrigin {
  readonly createdAt: number;
  /** Absent: never used. */
  readonly lastUsedAt?: number;
  /** Its person is exempt from the ladder or on hold: only a longest lifetime applies. */
  readonly isSpared?: boolean;
}

export type StaleReason = 'unused' | 'inactive' | 'lifetime' | 'same_origin';

/** The last use; without any, the creation. */
export function lastUseOf({ createdAt, lastUsedAt = createdAt }: FamilyFacts): number {
  return Math.max(createdAt, lastUsedAt);
}

/**
 * Each limit is reached at its last millisecond: a family that was unused for exactly `unused` is stale. Times in the future count as now.
 *
 * @param personActiveAt the person's latest sign of life of any kind; `undefined`: none is known, and the family's own use counts
 * @returns the first rule that applies, in the order unused, inactive, lifetime; `undefined`: none
 */
export function staleReason(
  family: FamilyFacts,
  personActiveAt: number | undefined,
  { unused, inactive, longestLifetime }: RefreshPolicy,
  now: number,
): Exclude<StaleReason, 'same_origin'> | undefined {
  const usedAt = lastUseOf(family);
  const isPast = (since: number, limit: number) => now - since >= limit;
  if (family.isSpared !== true) {
    if (isPast(usedAt, unused)) return 'unused';
    if (isPast(Math.max(usedAt, personActiveAt ?? 0), inactive)) return 'inactive';
  }
  if (longestLifetime !== undefined && isPast(family.createdAt, longestLifetime)) return 'lifetime';
  return undefined;
}

/** When a family is stale if nobody uses it and its person does not show up: the instant at which {@link staleReason} first says so. */
export function refreshEndsAt(
  family: FamilyFacts,
  personActiveAt: number | undefined,
  { unused, inactive, longestLifetime }: RefreshPolicy,
): number | undefined {
  const usedAt = lastUseOf(family);
  const ends = [
    ...(family.isSpared === true ? [] : [usedAt + unused, Math.max(usedAt, personActiveAt ?? 0) + inactive]),
    ...(longestLifetime === undefined ? [] : [family.createdAt + longestLifetime]),
  ];
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/**
 * Whether a sign-in from `origin` makes the family stale: last used from the same address and the same user agent, and unused since. It
 * selects among the person's own families, and proves nothing. What is not known on both sides is not the same.
 */
export function isLeftBehind(
  family: FamilyFacts,
  origin: RequestOrigin,
  { sameOrigin }: RefreshPolicy,
  now: number,
): boolean {
  if (sameOrigin === null || family.isSpared === true) return false;
  if (origin.address === undefined || origin.userAgent === undefined) return false;
  const isSame = family.address === origin.address && family.userAgent === origin.userAgent;
  return isSame && now - lastUseOf(family) >= sameOrigin;
}

/** Why a sign-in revokes a family of the same person; `undefined`: it stays. The sign-in itself is a sign of life. */
export function reasonAtSignIn(
  family: FamilyFacts,
  origin: RequestOrigin,
  policy: RefreshPolicy,
  now: number,
): StaleReason | undefined {
  return (
    staleReason(family, now, policy, now) ??
    (isLeftBehind(family, origin, policy, now) ? 'same_origin' : undefined)
  );
}
