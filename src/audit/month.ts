/** A month in UTC, as reports name it. Pure. */
import { ConfigError } from '../config.js';

/** Both in epoch milliseconds, the end excluded. */
export interface Month {
  readonly from: number;
  readonly to: number;
}

/** @param text as `2026-10`. @throws ConfigError where it is no month */
export function monthOf(text: string): Month {
  const [, year = '', month = ''] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  // PostgreSQL and JavaScript differ on the years before.
  if (month === '' || Number(year) < 1970) {
    throw new ConfigError('--month: is no month. Write it as 2026-10');
  }
  return { from: Date.UTC(Number(year), Number(month) - 1), to: Date.UTC(Number(year), Number(month)) };
}

/** @returns the month of a time, as `2026-10` */
export function monthAt(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** @returns the month that lies so many months after `month` (before it: negative) */
export function monthAfter(month: string, count: number): string {
  const { from } = monthOf(month);
  const date = new Date(from);
  return monthAt(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count));
}
