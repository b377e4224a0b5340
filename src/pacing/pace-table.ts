/** The table of paces: workers report to it what a system answered, and take their places from it. */
import type pg from 'pg';
import {
  firstPace,
  givePlaces,
  type Pace,
  type PaceLimits,
  type PaceReport,
  type Places,
} from '../domain/pace/pace.js';
import { inTransaction } from '../postgres/pool.js';

export type PacedSystem = 'kratos' | 'hydra';

interface Row {
  readonly rate: number;
  readonly next_at: number;
  readonly paused_until: number;
  readonly changed_at: number;
  readonly now: number;
}

/** The server's clock, read after the lock was given, so that all workers' places follow one another. */
const now = `(extract(epoch FROM clock_timestamp()) * 1000)::float8`;

/**
 * Reports, and takes places, under the lock of the system's row. Losing the last second in a crash of PostgreSQL is
 * harmless, so the commit waits for no disk.
 * @returns the places, and the rate, calls a second
 */
export function takePlaces(
  pool: pg.Pool,
  system: PacedSystem,
  limits: PaceLimits,
  report: PaceReport,
  wanted: number,
): Promise<{ readonly places: Places; readonly rate: number }> {
  return inTransaction(pool, async (client) => {
    await client.query('SET LOCAL synchronous_commit = off');
    const row = (await lockedRow(client, system)) ?? (await firstRow(client, system, limits));
    const { pace, places } = givePlaces(paceOf(row), report, wanted, limits, row.now);
    await client.query(
      'UPDATE pace SET rate = $2, next_at = $3, paused_until = $4, changed_at = $5 WHERE system = $1',
      [system, pace.rate, pace.nextAt, pace.pausedUntil, pace.changedAt],
    );
    return { places, rate: pace.rate };
  });
}

async function lockedRow(client: pg.PoolClient, system: PacedSystem): Promise<Row | undefined> {
  const { rows } = await client.query<Row>(
    `WITH locked AS MATERIALIZED (SELECT * FROM pace WHERE system = $1 FOR UPDATE)
     SELECT rate, next_at, paused_until, changed_at, ${now} AS now FROM locked`,
    [system],
  );
  return rows[0];
}

async function firstRow(client: pg.PoolClient, system: PacedSystem, limits: PaceLimits): Promise<Row> {
  const { rate, nextAt, pausedUntil, changedAt } = firstPace(limits);
  await client.query(
    `INSERT INTO pace (system, rate, next_at, paused_until, changed_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (system) DO NOTHING`,
    [system, rate, nextAt, pausedUntil, changedAt],
  );
  const row = await lockedRow(client, system);
  if (row === undefined) throw new Error('the row of a pace is gone that was just written');
  return row;
}

/** Less is no clock that was set back. */
const aheadMs = 1_000;

/** A clock that was set back must not stop the calls until it has caught up. */
function paceOf(row: Row): Pace {
  const isAhead = row.changed_at > row.now + aheadMs;
  return {
    rate: row.rate,
    nextAt: isAhead ? 0 : row.next_at,
    pausedUntil: isAhead ? 0 : row.paused_until,
    changedAt: isAhead ? row.now : row.changed_at,
  };
}
