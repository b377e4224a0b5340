/** Dates and times as flags of the command line. All dates are UTC days. */
import { dayMs } from '../domain/duration.js';
import { UsageError } from './exit-codes.js';

const day = /^\d{4}-\d\d-\d\d$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The first moment of the given day or time.
 * @returns epoch milliseconds.
 * @throws UsageError naming the flag, the problem and the way out
 */
export function beginOf(flag: string, text: string): number {
  const at = parsed(text);
  if (at !== undefined) return at;
  throw new UsageError(
    `${flag}: is no day or time that there is. Write a day as 2026-01-31 (UTC) or a time with its zone as 2026-01-31T08:00:00Z`,
  );
}

/**
 * The first moment after the given day or time: a day counts to its end, a time is itself.
 * @returns epoch milliseconds.
 * @throws UsageError
 */
export function endOf(flag: string, text: string): number {
  const at = beginOf(flag, text);
  return day.test(text) ? at + dayMs : at;
}

/** `Date.parse` turns 30 February into 2 March, so the result must format back to the input. */
function parsed(text: string): number | undefined {
  if (!day.test(text) && !time.test(text)) return undefined;
  const date = text.slice(0, 10);
  const midnight = Date.parse(date);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
