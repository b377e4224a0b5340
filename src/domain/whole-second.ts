/** Issuers truncate times to seconds. Pure. */

/**
 * What a time that was truncated is compared with: a sign-in right after the moment would otherwise seem to be before it.
 * @param at epoch milliseconds
 */
export function wholeSecond(at: number): number {
  return Math.floor(at / 1_000) * 1_000;
}
