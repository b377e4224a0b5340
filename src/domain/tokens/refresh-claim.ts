/** What happens to a genuine refresh token that is presented: exchanged, exchanged again within the grace, or a reuse. Pure. */

export interface PresentedToken {
  /** Its place in the family's line; the first is 0. */
  readonly generation: number;
  /** The place of the token that is valid now. */
  readonly currentGeneration: number;
  /**
   * When the last tokens were exchanged, epoch milliseconds, the latest first: `[0]` is of `currentGeneration - 1`. The registry remembers
   * eight: more within one grace are reuse of the oldest.
   */
  readonly claims: readonly number[];
}

/**
 * `repeat`: it was exchanged just now, by another tab or with an answer that was lost. It gets the token that is valid now.
 * `unclear`: the clock was set back since an exchange, so nobody knows whether it is a repetition or a reuse. It gets nothing, and the
 * family lives.
 */
export type ClaimVerdict = 'claim' | 'repeat' | 'reuse' | 'unclear';

/** As far as the clocks of two instances may differ, milliseconds. */
const clockToleranceMs = 1_000;

/** At exactly `graceMs` after its exchange a token is reuse. With a grace of 0 each later use is, whatever the clock says. */
export function judgeClaim(
  { generation, currentGeneration, claims }: PresentedToken,
  graceMs: number,
  now: number,
): ClaimVerdict {
  if (generation === currentGeneration) return 'claim';
  const claimedAt = claims[currentGeneration - 1 - generation];
  // guard: refresh: with a grace of 0, a clock that was set back repeats nothing
  if (claimedAt === undefined || graceMs === 0) return 'reuse';
  // The family was used at a time that has not come yet: by this clock, an old token may look young.
  // guard: refresh: a clock that was set back makes no old token young
  if (now < Math.max(...claims) - clockToleranceMs) return 'unclear';
  return now - claimedAt < graceMs ? 'repeat' : 'reuse';
}
