/** The report of a month: how many people each rung reached, and whether notices bring people back. */
import type pg from 'pg';
import { ConfigError } from '../config.js';
import { dayMs } from '../domain/duration.js';
import {
  countPeople,
  type Month,
  type MonthFigure,
  type NoticeEffect,
  readNoticeEffects,
} from './month-query.js';

export interface MonthReport {
  readonly schemaVersion: 1;
  /** As `2026-10`, in UTC. */
  readonly month: string;
  /** Different people. The first number: whose tokens were revoked because of inactivity. */
  readonly people: Readonly<Record<MonthFigure, number>>;
  readonly notices: readonly NoticeEffect[];
}

/** @throws ConfigError where it is no month */
export function monthOf(text: string): Month {
  const [, year = '', month = ''] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (month === '') throw new ConfigError('--month: is no month. Write it as 2026-10');
  return { from: Date.UTC(Number(year), Number(month) - 1), to: Date.UTC(Number(year), Number(month)) };
}

/** @param now epoch milliseconds: returns until then count for the month's notices. @throws ConfigError */
export async function buildMonthReport(pool: pg.Pool, month: string, now: number): Promise<MonthReport> {
  const range = monthOf(month);
  return {
    schemaVersion: 1,
    month,
    people: await countPeople(pool, range),
    notices: await readNoticeEffects(pool, range, now),
  };
}

/** Parts of the figure before them begin with a blank. */
export const figureNames: Readonly<Record<MonthFigure, string>> = {
  revoked: 'hit revocation',
  revoked_ladder: '  by the ladder',
  revoked_refresh: '  of refresh tokens',
  revoked_personal: '  of personal access tokens',
  warned: 'warned',
  suspended: 'suspended',
  deactivated: 'deactivated',
  deleted: 'deleted or anonymised',
  returned: 'returned',
};

/** The report as text for people. */
export function describeMonth({ month, people, notices }: MonthReport): string[] {
  return [
    `${month}, people`,
    ...Object.entries(people).map(
      ([figure, count]) => `  ${figureNames[figure as MonthFigure].padEnd(30)}${count}`,
    ),
    '',
    'Notices, and who came back after them',
    ...notices.map(
      ({ notice, sent, returned, medianMs }) =>
        `  ${notice.padEnd(12)}${sent} accepted, ${returned} returned${sent === 0 ? '' : ` (${((100 * returned) / sent).toFixed(1)} %)`}${medianMs === null ? '' : `, half of them within ${(medianMs / dayMs).toFixed(1)} d`}`,
    ),
  ];
}
