/** Tables `breaker_grant`, `breaker_pass` and `breaker_clock`: what the breaker let through, and by which clock. */
import type pg from 'pg';
import type { DestructiveRung } from '../../domain/rungs.js';

export interface Act {
  /** The same for every attempt at the same act. */
  readonly key: string;
  readonly action: DestructiveRung;
  readonly identityId: string;
}

/** @returns acts of this kind since `from`, epoch milliseconds */
export async function countGrants(
  client: pg.Pool | pg.PoolClient,
  action: DestructiveRung,
  from: number,
): Promise<number> {
  const found = await client.query<{ count: string }>(
    'SELECT count(*) FROM breaker_grant WHERE action = $1 AND granted_at > $2',
    [action, new Date(from)],
  );
  return Number(found.rows[0]?.count ?? 0);
}

export async function isGranted(client: pg.PoolClient, key: string): Promise<boolean> {
  return (await client.query('SELECT 1 FROM breaker_grant WHERE act_key = $1', [key])).rows.length > 0;
}

/** Notes that the act passes, and forgets those that no window counts any more. */
export async function grant(client: pg.PoolClient, act: Act, now: number, keepFrom: number): Promise<void> {
  await client.query(
    `INSERT INTO breaker_grant (act_key, action, identity_id, granted_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (act_key) DO NOTHING`,
    [act.key, act.action, act.identityId, new Date(now)],
  );
  await client.query('DELETE FROM breaker_grant WHERE action = $1 AND granted_at < $2', [
    act.action,
    new Date(keepFrom),
  ]);
}

/**
 * Takes the pass that operators gave this identity for each of these trips, or took already for the same act.
 * @returns whether there was one for each
 */
export async function takePasses(
  client: pg.PoolClient,
  act: Act,
  tripIds: readonly number[],
): Promise<boolean> {
  const found = await client.query<{ release_id: string; trip_id: string }>(
    `SELECT DISTINCT ON (trip_id) release_id, trip_id FROM breaker_pass
     WHERE identity_id = $1 AND trip_id = ANY($2) AND (used_by IS NULL OR used_by = $3)
     ORDER BY trip_id, release_id`,
    [act.identityId, tripIds, act.key],
  );
  if (found.rows.length < tripIds.length) return false;
  await client.query('UPDATE breaker_pass SET used_by = $3 WHERE identity_id = $1 AND release_id = ANY($2)', [
    act.identityId,
    found.rows.map((row) => row.release_id),
    act.key,
  ]);
  return true;
}

/** Identities that have a lifecycle and are not deleted: what percentages are taken of. */
export async function population(client: pg.Pool | pg.PoolClient): Promise<number> {
  const found = await client.query<{ count: string }>(
    "SELECT count(*) FROM standing WHERE stage <> 'deleted'",
  );
  return Number(found.rows[0]?.count ?? 0);
}

/** @returns the latest time that any worker read, epoch milliseconds */
export async function latestClock(client: pg.PoolClient): Promise<number | undefined> {
  const found = await client.query<{ latest_at: Date }>('SELECT latest_at FROM breaker_clock');
  return found.rows[0]?.latest_at.getTime();
}

export async function advanceClock(client: pg.PoolClient, now: number): Promise<void> {
  await client.query(
    `INSERT INTO breaker_clock AS known (latest_at) VALUES ($1)
     ON CONFLICT (only_row) DO UPDATE SET latest_at = greatest(known.latest_at, EXCLUDED.latest_at)`,
    [new Date(now)],
  );
}

/** After a trip by the clock was released: what it showed is not believed any more. */
export async function forgetClock(client: pg.PoolClient): Promise<void> {
  await client.query('DELETE FROM breaker_clock');
}
