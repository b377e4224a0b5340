/**
 * Tables `breaker_grant` and `breaker_clock`: the acts that the breaker let pass, the
 * population, and the latest clock.
 */
import type pg from 'pg';
import type { BreakerAction } from '../domain/breaker/rules.js';

export interface Act {
  /** The same for every attempt at the same act. */
  readonly key: string;
  readonly action: BreakerAction;
  readonly identityId: string;
}

/** @returns the number of acts of this kind since `from`, epoch milliseconds */
export async function countGrants(
  client: pg.Pool | pg.PoolClient,
  action: BreakerAction,
  from: number,
): Promise<number> {
  const found = await client.query<{ count: string }>(
    'SELECT count(*) FROM breaker_grant WHERE action = $1 AND granted_at > $2',
    [action, new Date(from)],
  );
  return Number(found.rows[0]?.count ?? 0);
}

export interface BatchCount {
  /** Acts of the kind within the window, since the last release of its limit. */
  readonly done: number;
  /** Of the batch: those that were let through by an earlier attempt, and are among `done`. */
  readonly granted: number;
  /** How many more operators allowed by a release within the window. */
  readonly released: number;
}

/** To be called under the breaker's lock. @param asked `now` and `windowMs` in (epoch) milliseconds */
export async function batchCount(
  client: pg.PoolClient,
  asked: {
    readonly action: BreakerAction;
    readonly keys: readonly string[];
    readonly windowMs: number;
    readonly now: number;
  },
): Promise<BatchCount> {
  const { rows } = await client.query<{ done: string; granted: string; released: number }>(
    `SELECT breaker_count($1, greatest($2, release.at)) AS done, coalesce(release.acts, 0) AS released,
       (SELECT count(*) FROM breaker_grant WHERE act_key = ANY($3)) AS granted
     FROM (SELECT) AS always LEFT JOIN LATERAL (
       SELECT released_at AS at, acts FROM breaker_trip
       WHERE cause = 'limit' AND scope = $1 AND released_at > $2 ORDER BY released_at DESC, id DESC LIMIT 1
     ) AS release ON true`,
    [asked.action, new Date(asked.now - asked.windowMs), asked.keys],
  );
  const [row] = rows;
  return { done: Number(row?.done ?? 0), granted: Number(row?.granted ?? 0), released: row?.released ?? 0 };
}

/** Identities that have a lifecycle and are not deleted: the base of the percentages. */
export async function population(client: pg.Pool | pg.PoolClient): Promise<number> {
  const found = await client.query<{ count: string }>(
    // guard: breaker: the deleted are not counted
    "SELECT count(*) FROM standing WHERE stage <> 'deleted'",
  );
  return Number(found.rows[0]?.count ?? 0);
}

/** @returns the latest time that any worker read, epoch milliseconds */
export async function latestClock(client: pg.Pool | pg.PoolClient): Promise<number | undefined> {
  const found = await client.query<{ latest_at: Date }>('SELECT latest_at FROM breaker_clock');
  return found.rows[0]?.latest_at.getTime();
}

export async function advanceClock(client: pg.Pool | pg.PoolClient, now: number): Promise<void> {
  await client.query(
    `INSERT INTO breaker_clock AS known (latest_at) VALUES ($1)
     ON CONFLICT (only_row) DO UPDATE SET latest_at = greatest(known.latest_at, EXCLUDED.latest_at)`,
    [new Date(now)],
  );
}

/** After the release of a trip by the clock, the recorded time is no longer used. */
export async function forgetClock(client: pg.PoolClient): Promise<void> {
  await client.query('DELETE FROM breaker_clock');
}
