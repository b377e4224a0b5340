/** The report of a month: how many people each rung reached, and whether notices bring people back. */
import type pg from 'pg';
import { ConfigError } from '../config.js';
import { dayMs } from '../domain/duration.js';
import {
  countBySource,
  countPeople,
  type Month,
  type MonthFigure,
  type NoticeEffect,
  readNoticeEffects,
  type SourceEnds,
} from './month-query.js';

export interface MonthReport {
  readonly schemaVersion: 1;
  /** As `2026-10`, in UTC. */
  readonly month: string;
  /** Different people. The first number: whose tokens were revoked because of inactivity. */
  readonly people: Readonly<Record<MonthFigure, number>>;
  /** Of `revoked_personal`, those who lost tokens in apps' own tables. */
  readonly sources: readonly SourceEnds[];
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
    sources: await countBySource(pool, range),
    notices: await readNoticeEffects(pool, range, now),
  };
}

const names: Readonly<Record<MonthFigure, string>> = {
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

const line = (what: string, count: number): string => `  ${what.padEnd(29)} ${count}`;

/** The report as text for people. */
export function describeMonth({ month, people, sources, notices }: MonthReport): string[] {
  return [
    `${month}, people`,
    ...Object.entries(people).flatMap(([figure, count]) => [
      line(names[figure as MonthFigure], count),
      ...(figure === 'revoked_personal'
        ? sources.map((of) => line(`    in the table of ${of.source}`, of.people))
        : []),
    ]),
    '',
    'Notices, and who came back after them',
    ...notices.map(
      ({ notice, sent, returned, medianMs }) =>
        `  ${notice.padEnd(12)}${sent} accepted, ${returned} returned${sent === 0 ? '' : ` (${((100 * returned) / sent).toFixed(1)} %)`}${medianMs === null ? '' : `, half of them within ${(medianMs / dayMs).toFixed(1)} d`}`,
    ),
  ];
}
