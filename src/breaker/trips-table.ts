/** Table `breaker_trip`: when, why and for which acts the breaker is tripped. */
import type pg from 'pg';
import type { Outage } from '../domain/breaker/feed.js';
import type { Trip, TripCause, TripScope } from '../domain/breaker/trip.js';
import { given } from '../domain/given.js';

/** Held during each decision on the breaker's tables, so that limits are exact with any number of workers. */
const breakerLock = 'dormouse/breaker';

/** To be called first in each transaction that decides. */
export async function lockBreaker(client: pg.PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [breakerLock]);
}

interface TripRow {
  readonly id: string;
  readonly scope: TripScope;
  readonly cause: TripCause;
  readonly why: string;
  readonly tripped_at: Date;
  readonly operators: number;
  readonly acts: number | null;
}

const columns = 'id, scope, cause, why, tripped_at, operators, acts';

function tripOf(row: TripRow): Trip {
  const { tripped_at, id, acts, ...rest } = row;
  return { ...rest, id: Number(id), trippedAt: tripped_at.getTime(), ...(acts !== null && { acts }) };
}

/** @param scopes absent: all. @returns the active trips, the oldest first */
export async function activeTrips(
  client: pg.Pool | pg.PoolClient,
  scopes?: readonly TripScope[],
): Promise<Trip[]> {
  const found = await client.query<TripRow>(
    `SELECT ${columns} FROM breaker_trip
     WHERE released_at IS NULL AND ($1::text[] IS NULL OR scope = ANY($1)) ORDER BY tripped_at, id`,
    [scopes ?? null],
  );
  return found.rows.map(tripOf);
}

/** @returns one trip, active or released */
export async function readTrip(client: pg.Pool | pg.PoolClient, id: number): Promise<Trip | undefined> {
  const found = await client.query<TripRow>(`SELECT ${columns} FROM breaker_trip WHERE id = $1`, [id]);
  return found.rows.map(tripOf)[0];
}

/** Trips the breaker. An active trip of the same scope and cause stays instead. */
export async function trip(
  client: pg.PoolClient,
  { scope, cause, why, trippedAt, operators, acts }: Omit<Trip, 'id'>,
): Promise<Trip> {
  const inserted = await client.query<TripRow>(
    `INSERT INTO breaker_trip (scope, cause, why, tripped_at, operators, acts) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (scope, cause) WHERE released_at IS NULL DO NOTHING RETURNING ${columns}`,
    [scope, cause, why, new Date(trippedAt), operators, acts ?? null],
  );
  const row = inserted.rows[0];
  if (row !== undefined) return tripOf(row);
  const active = (await activeTrips(client, [scope])).find((known) => known.cause === cause);
  // The active trip was released in between, so this trips again.
  return active ?? trip(client, { scope, cause, why, trippedAt, operators, ...given({ acts }) });
}

/** When a trip of this cause was last released: earlier findings are settled. @returns epoch milliseconds */
export async function lastRelease(
  client: pg.Pool | pg.PoolClient,
  cause: TripCause,
  scope: TripScope,
): Promise<number | undefined> {
  const found = await client.query<{ released_at: Date | null }>(
    'SELECT max(released_at) AS released_at FROM breaker_trip WHERE cause = $1 AND scope = $2',
    [cause, scope],
  );
  return found.rows[0]?.released_at?.getTime();
}

/** Stretches in which the feed was known to be stalled: no baseline. */
export async function feedOutages(
  client: pg.Pool | pg.PoolClient,
  from: number,
  windowMs: number,
): Promise<Outage[]> {
  const found = await client.query<{ tripped_at: Date; released_at: Date }>(
    `SELECT tripped_at, released_at FROM breaker_trip
     WHERE cause = 'feed-stalled' AND released_at >= $1`,
    [new Date(from)],
  );
  return found.rows.map(({ tripped_at, released_at }) => ({
    from: tripped_at.getTime() - windowMs,
    to: released_at.getTime(),
  }));
}

/** Deletes trips released before this time, and their records. @returns how many were deleted */
export async function forgetOldTrips(pool: pg.Pool, before: Date): Promise<number> {
  const { rows } = await pool.query<{ gone: string }>('SELECT breaker_forget($1) AS gone', [before]);
  return Number(rows[0]?.gone ?? 0);
}
