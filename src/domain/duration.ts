/** Durations of policy files: `30d` in, milliseconds out, and back. Pure. */
import ms from 'ms';

export const secondMs = 1_000;
export const dayMs = 86_400_000;

const pattern = /^(\d{1,9})(s|m|h|d|w)$/;

/**
 * Parses a duration of a policy file: a whole number and one unit of `s m h d w`. Months and years are
 * refused: their length varies, and a deadline must not depend on the reader's calendar.
 *
 * @returns milliseconds, or `undefined` when the text is not a duration
 */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  return ms(`${Number(match[1])}${match[2] as 's' | 'm' | 'h' | 'd' | 'w'}`);
}

/**
 * Writes milliseconds as the shortest exact duration that {@link parseDuration}
 * reads, for messages and reports.
 */
export function formatDuration(milliseconds: number): string {
  const units: [string, number][] = [
    ['d', dayMs],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', secondMs],
  ];
  for (const [unit, size] of units) {
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** Days as operators read them: whole from ten days on, one decimal below, seconds under an hour. */
export function describeElapsed(milliseconds: number): string {
  const elapsed = Math.max(0, milliseconds);
  if (elapsed >= 10 * dayMs) return `${Math.floor(elapsed / dayMs)} days`;
  if (elapsed >= dayMs) return `${(elapsed / dayMs).toFixed(1)} days`;
  if (elapsed >= 3_600_000) return `${(elapsed / 3_600_000).toFixed(1)} hours`;
  return `${Math.round(elapsed / secondMs)} seconds`;
}

/** Days, to the nearest millisecond: eight decimals. */
export function inDays(milliseconds: number): number {
  return Math.round((Math.max(0, milliseconds) / dayMs) * 1e8) / 1e8;
}
