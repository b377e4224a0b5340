/** The pause after a notice that reached nobody. Pure. */
import { dayMs } from '../duration.js';

/** A dead mailbox does not get a mail every day for years. */
const longestPauseMs = 30 * dayMs;

/**
 * @param failures how many attempts failed before the last one.
 * @returns the pause before the next attempt
 */
export function pauseAfter(failures: number, recheckMs: number): number {
  // guard: failed notices wait longer each time
  return Math.max(recheckMs, Math.min(longestPauseMs, recheckMs * 2 ** failures));
}
