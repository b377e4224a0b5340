/** What happens to a genuine refresh token that is presented: exchanged, exchanged again within the grace, or a reuse. Pure. */

/** How many exchanges a family remembers. More within one grace are reuse of the oldest. */
export const rememberedClaims = 8;

export interface PresentedToken {
  /** Its place in the family's line; the first is 0. */
  readonly generation: number;
  /** The place of the token that is valid now. */
  readonly currentGeneration: number;
  /** When the last tokens were exchanged, epoch milliseconds, the latest first: `[0]` is of `currentGeneration - 1`. */
  readonly claims: readonly number[];
}

/** `repeat`: it was exchanged just now, by another tab or with an answer that was lost. It gets the token that is valid now. */
export type ClaimVerdict = 'claim' | 'repeat' | 'reuse';

/** At exactly `graceMs` after its exchange a token is reuse. With a grace of 0 each later use is. */
export function judgeClaim(
  { generation, currentGeneration, claims }: PresentedToken,
  graceMs: number,
  now: number,
): ClaimVerdict {
  if (generation === currentGeneration) return 'claim';
  const claimedAt = claims[currentGeneration - 1 - generation];
  if (claimedAt === undefined) return 'reuse';
  // A clock that was set back must not lengthen the grace.
  return Math.max(0, now - claimedAt) < graceMs ? 'repeat' : 'reuse';
}
