/** A preview by person, as CSV (RFC 4180). Every value is made here: no text of a person's own can get in. */
import { rungNames } from '../domain/rungs.js';
import type { Comparison } from './comparison.js';

export const csvHeader = [
  'identity',
  'stage',
  'last_active',
  'move',
  'rung',
  'days',
  'why',
  ...rungNames.flatMap((rung) => [`${rung}_before`, `${rung}_after`]),
].join(',');

/** @returns one line, without its end */
export function csvLine(person: Comparison): string {
  const { identityId, stage, lastActiveAt, move, rung, days, why, datesBefore, datesAfter } = person;
  const dates = rungNames.flatMap((name) => [dateOf(datesBefore[name]), dateOf(datesAfter[name])]);
  const cells = [
    identityId,
    stage,
    dateOf(lastActiveAt),
    move,
    rung ?? '',
    String(days ?? ''),
    why,
    ...dates,
  ];
  return cells.map(quoted).join(',');
}

/** @returns the day in UTC, or nothing */
export function dateOf(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString().slice(0, 10);
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
