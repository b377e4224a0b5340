/** A preview by person, as CSV (RFC 4180). Every value is made here: no text of a person's own can get in. */
import { rungNames } from '../domain/rungs.js';
import { csvLine } from '../process/csv.js';
import type { Comparison } from './comparison.js';

export const csvHeader = csvLine([
  'identity',
  'stage',
  'last_active',
  'move',
  'rung',
  'days',
  'why',
  ...rungNames.flatMap((rung) => [`${rung}_before`, `${rung}_after`]),
]);

/** @returns one line with its end */
export function csvOf(person: Comparison): string {
  const { identityId, stage, lastActiveAt, move, rung, days, why, datesBefore, datesAfter } = person;
  const dates = rungNames.flatMap((name) => [dateOf(datesBefore[name]), dateOf(datesAfter[name])]);
  return csvLine([identityId, stage, dateOf(lastActiveAt), move, rung ?? null, days ?? null, why, ...dates]);
}

/** @returns the day in UTC, or nothing */
export function dateOf(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString().slice(0, 10);
}
