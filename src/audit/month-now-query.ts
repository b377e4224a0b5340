/** What a month's report says of the present, because nobody keeps it for later. */
import type pg from 'pg';
import { activeTrips } from '../breaker/trips-table.js';
import { countMailsSettled, type MailCount } from '../mail/mail-counts.js';
import type { Month } from './month.js';

export interface MonthNow {
  /** When it was read, epoch milliseconds. */
  readonly at: number;
  /** Lifecycles with a parked step, and those whose identity Kratos does not know. */
  readonly parked: number;
  readonly missing: number;
  /** Trips of the breaker that nobody has released. */
  readonly openTrips: number;
  /** Copies of mails that were settled in the month and are still kept, by kind and present state. */
  readonly mails: readonly MailCount[];
}

export async function readMonthNow(pool: pg.Pool, { from, to }: Month, now: number): Promise<MonthNow> {
  const [standings, trips, mails] = await Promise.all([
    pool.query<{ parked: number; missing: number }>(
      `SELECT (count(*) FILTER (WHERE document ? 'parked'))::int AS parked,
         (count(*) FILTER (WHERE blocked_by = 'missing'))::int AS missing FROM standing WHERE stage <> 'deleted'`,
    ),
    activeTrips(pool),
    countMailsSettled(pool, from, to),
  ]);
  const { parked = 0, missing = 0 } = standings.rows[0] ?? {};
  return { at: now, parked, missing, openTrips: trips.length, mails };
}
