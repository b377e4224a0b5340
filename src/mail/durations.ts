/** Durations and deadlines in the reader's language. Intl only; imports nothing. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const longDate = { year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' } as const;

type Unit = 'day' | 'hour' | 'minute' | 'second';

/**
 * The largest unit of which there are at least two, and at least 1 second. Days are the ceiling:
 * policies use days (730d), and so do mails. Rounds in the smaller unit first, so that 47 h 59 min 45 s
 * reads "2 days", not "48 hours".
 */
function chooseUnit(durationMs: number): { amount: number; unit: Unit } {
  if (Math.round(durationMs / HOUR_MS) >= 48) return { amount: Math.round(durationMs / DAY_MS), unit: 'day' };
  if (Math.round(durationMs / MINUTE_MS) >= 120)
    return { amount: Math.round(durationMs / HOUR_MS), unit: 'hour' };
  if (Math.round(durationMs / SECOND_MS) >= 120)
    return { amount: Math.round(durationMs / MINUTE_MS), unit: 'minute' };
  return { amount: Math.max(1, Math.round(durationMs / SECOND_MS)), unit: 'second' };
}

/**
 * Intl puts narrow no-break spaces into times. Plain spaces work in every mail client and every comparison.
 */
function plainSpaces(text: string): string {
  return text.replace(/[\u00a0\u202f]/gu, ' ');
}

/**
 * A length of time, e.g. "30 days", "30 Tage", "12 seconds".
 *
 * @param durationMs - Milliseconds, not negative; anything below a second reads as one second.
 * @param formatTag - A valid BCP 47 tag.
 */
export function durationInWords(durationMs: number, formatTag: string): string {
  const { amount, unit } = chooseUnit(durationMs);
  return plainSpaces(
    new Intl.NumberFormat(formatTag, { style: 'unit', unit, unitDisplay: 'long' }).format(amount),
  );
}

/**
 * A length of time from now, in the grammatical case of the language, e.g. "in 7 days", "in 7 Tagen".
 *
 * @param durationMs - Milliseconds; a time in the past reads as "in 1 second".
 * @param formatTag - A valid BCP 47 tag.
 */
export function formatIn(durationMs: number, formatTag: string): string {
  const { amount, unit } = chooseUnit(durationMs);
  return plainSpaces(new Intl.RelativeTimeFormat(formatTag, { numeric: 'always' }).format(amount, unit));
}

/**
 * A deadline: a long date without weekday, always marked as UTC. Includes the time where it is nearer than
 * two days, and seconds where it is nearer than two hours (demo policies).
 *
 * @param at - Epoch milliseconds.
 * @param inMs - Milliseconds from now until `at`; affects only the precision.
 * @param formatTag - A valid BCP 47 tag.
 */
export function formatDeadline(at: number, inMs: number, formatTag: string): string {
  if (chooseUnit(inMs).unit === 'day') return formatDay(at, formatTag);
  return formatTime(at, formatTag, inMs < 2 * HOUR_MS);
}

/** A long date without weekday, always marked as UTC. @param at - Epoch milliseconds. */
export function formatDay(at: number, formatTag: string): string {
  return `${plainSpaces(new Intl.DateTimeFormat(formatTag, longDate).format(at))} (UTC)`;
}

/**
 * A long date without weekday, with the time, always marked as UTC.
 *
 * @param at - Epoch milliseconds.
 * @param formatTag - A valid BCP 47 tag.
 */
export function formatTime(at: number, formatTag: string, withSeconds = false): string {
  const seconds = withSeconds ? ({ second: '2-digit' } as const) : {};
  const time = { hour: 'numeric', minute: '2-digit', ...seconds, timeZoneName: 'short' } as const;
  return plainSpaces(new Intl.DateTimeFormat(formatTag, { ...longDate, ...time }).format(at));
}
