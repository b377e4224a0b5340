/** The report of a month as data. What shows it is in files of its own: month-text.ts, month-csv.ts, month-page.ts. */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import { readCheckpoint } from './checkpoints-table.js';
import { readOccurredAt } from './log-table.js';
import { monthAfter, monthOf } from './month.js';
import {
  countEndedCredentials,
  countEvents,
  type EndedCredentials,
  type EventCount,
  type EventGroup,
  readStandingExemptions,
  type StandingExemptions,
} from './month-events-query.js';
import { type MonthNow, readMonthNow } from './month-now-query.js';
import {
  countBySource,
  countPeople,
  creditDays,
  type Figures,
  type NoticeEffect,
  noFigures,
  readNoticeEffects,
  type SourceEnds,
} from './month-query.js';

export interface MonthReport {
  readonly schemaVersion: 2;
  /** As `2026-10`, in UTC. */
  readonly month: string;
  /** From then on everything but {@link now} stays as it is. Epoch milliseconds. */
  readonly finalAt: number;
  /** Whether that time was over. */
  readonly isFinal: boolean;
  /** Rows of the month were pruned from the audit log: the figures are too low. */
  readonly isPruned: boolean;
  /** Different people. The first number: whose tokens were revoked because of inactivity. */
  readonly people: Figures;
  /** The same for each day of the month; a person counts on each day on which it happened. */
  readonly days: readonly ({ readonly day: string } & Figures)[];
  /** The twelve months that end with this one. */
  readonly months: readonly ({ readonly month: string } & Figures)[];
  readonly credentials: EndedCredentials;
  /** Of `people.revoked_personal`, those who lost tokens in apps' own tables. */
  readonly sources: readonly SourceEnds[];
  readonly notices: readonly NoticeEffect[];
  readonly events: Readonly<Record<EventGroup, readonly EventCount[]>>;
  /** At the end of the month. */
  readonly exemptions: readonly StandingExemptions[];
  /** As of the time at which the report was made. */
  readonly now: MonthNow;
}

/** Months in the comparison. */
const compared = 12;

/**
 * @param month as `2026-10`
 * @param now epoch milliseconds
 * @throws ConfigError where it is no month
 */
export async function monthReport(pool: pg.Pool, month: string, now: number): Promise<MonthReport> {
  const range = monthOf(month);
  const first = monthAfter(month, 1 - compared);
  const [months, days, credentials, sources, notices, events, exemptions, present, isPruned] =
    await Promise.all([
      countPeople(pool, { from: monthOf(first).from, to: range.to }, 'month'),
      countPeople(pool, range, 'day'),
      countEndedCredentials(pool, range),
      countBySource(pool, range),
      readNoticeEffects(pool, range),
      countEvents(pool, range),
      readStandingExemptions(pool, range),
      readMonthNow(pool, range, now),
      isPrunedIn(pool, range.from),
    ]);
  const finalAt = range.to + creditDays * dayMs;
  return {
    schemaVersion: 2,
    month,
    finalAt,
    isFinal: now >= finalAt,
    isPruned,
    people: months.get(month) ?? noFigures,
    days: daysOf(range).map((day) => ({ day, ...(days.get(day) ?? noFigures) })),
    months: Array.from({ length: compared }, (_, index) => monthAfter(first, index)).map((one) => ({
      month: one,
      ...(months.get(one) ?? noFigures),
    })),
    credentials,
    sources,
    notices,
    events,
    exemptions,
    now: present,
  };
}

function daysOf({ from, to }: { from: number; to: number }): string[] {
  const count = Math.round((to - from) / dayMs);
  return Array.from({ length: count }, (_, index) =>
    new Date(from + index * dayMs).toISOString().slice(0, 10),
  );
}

/** Whether the audit log begins after the month's beginning because older rows were removed. */
async function isPrunedIn(pool: pg.Pool, from: number): Promise<boolean> {
  const checkpoint = await readCheckpoint(pool);
  if (checkpoint === undefined) return false;
  const firstKept = await readOccurredAt(pool, checkpoint.seq);
  return firstKept === undefined || firstKept >= from;
}
