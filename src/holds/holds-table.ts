/** Table `identity_hold`: operators' holds. The lifecycle writes their audit entries. */
import type pg from 'pg';
import type { Hold, HoldKind } from '../domain/lifecycle/holds.js';
import { inTransaction } from '../postgres/pool.js';

export interface HoldRow {
  readonly hold_id: string;
  readonly kind: HoldKind | null;
  readonly reason: string;
  readonly set_by: string;
  readonly set_at: Date;
  readonly until: Date;
}

export const holdColumns = 'hold_id, kind, reason, set_by, set_at, until';

export function holdOf(row: HoldRow): Hold {
  return {
    id: row.hold_id,
    ...(row.kind === null ? {} : { kind: row.kind }),
    reason: row.reason,
    actor: row.set_by,
    since: row.set_at.getTime(),
    until: row.until.getTime(),
  };
}

/** The holds in force, and how many there ever were. */
export interface KnownHolds {
  readonly standing: readonly Hold[];
  /** The highest number in an id. */
  readonly count: number;
  /** Ids of holds that were released before their time. Absent: none. */
  readonly released?: readonly string[];
}

/**
 * Keeps a hold. Repeating the same request changes nothing. An id already given to another hold, by a
 * lifecycle that was lost, is replaced by the next id.
 * @returns the hold as it is kept
 */
export function keepHold(
  pool: pg.Pool,
  identityId: string,
  hold: Hold,
  requestKey: string | undefined,
): Promise<Hold> {
  return inTransaction(pool, async (client) => {
    await lockHolds(client, identityId);
    const known = await client.query<HoldRow>(
      `SELECT ${holdColumns} FROM identity_hold WHERE identity_id = $1 AND request_key = $2`,
      [identityId, requestKey ?? null],
    );
    if (known.rows[0] !== undefined) return holdOf(known.rows[0]);
    return insertHold(client, identityId, hold, requestKey);
  });
}

/** One change of an identity's holds at a time, until the transaction ends. */
export async function lockHolds(client: pg.PoolClient, identityId: string): Promise<void> {
  // guard: holds: an id is never given twice
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`hold/${identityId}`]);
}

/** @returns the hold as it is kept: an id that is taken is replaced by the next */
export async function insertHold(
  client: pg.PoolClient,
  identityId: string,
  hold: Hold,
  requestKey: string | undefined,
): Promise<Hold> {
  const inserted = await client.query<HoldRow>(
    `INSERT INTO identity_hold (identity_id, hold_id, kind, reason, set_by, set_at, until, request_key)
     SELECT $1, CASE WHEN EXISTS (SELECT FROM identity_hold WHERE identity_id = $1 AND hold_id = $2)
       THEN 'h' || (SELECT max(substr(hold_id, 2)::int) + 1 FROM identity_hold WHERE identity_id = $1)
       ELSE $2 END, $3, $4, $5, $6, $7, $8
     RETURNING ${holdColumns}`,
    [
      identityId,
      hold.id,
      hold.kind ?? null,
      hold.reason,
      hold.actor,
      new Date(hold.since),
      new Date(hold.until),
      requestKey ?? null,
    ],
  );
  const [row] = inserted.rows;
  if (row === undefined) throw new Error('the hold was not kept');
  return holdOf(row);
}

/** Takes over holds that a lifecycle of an older build remembers. Safe to repeat. */
export async function takeOverHolds(
  pool: pg.Pool,
  identityId: string,
  holds: readonly Hold[],
): Promise<void> {
  for (const { id, kind, reason, actor, since, until } of holds) {
    await pool.query(
      `INSERT INTO identity_hold (identity_id, hold_id, kind, reason, set_by, set_at, until)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (identity_id, hold_id) DO NOTHING`,
      [identityId, id, kind ?? null, reason, actor, new Date(since), new Date(until)],
    );
  }
}

/** Ends one hold early. Only the first release counts. */
export async function endHold(pool: pg.Pool, identityId: string, holdId: string, at: number): Promise<void> {
  await pool.query(
    'UPDATE identity_hold SET released_at = $3 WHERE identity_id = $1 AND hold_id = $2 AND released_at IS NULL',
    [identityId, holdId, new Date(at)],
  );
}

/** @param now epoch milliseconds */
export async function readHolds(
  db: pg.Pool | pg.PoolClient,
  identityId: string,
  now: number,
): Promise<KnownHolds> {
  const found = await db.query<HoldRow & { stands: boolean; released: boolean }>(
    `SELECT ${holdColumns}, released_at IS NULL AND until > $2 AS stands,
            released_at IS NOT NULL AND until > $2 AS released
     FROM identity_hold
     WHERE identity_id = $1 ORDER BY set_at, hold_id`,
    [identityId, new Date(now)],
  );
  const numbers = found.rows.map(({ hold_id }) => Number(hold_id.slice(1)));
  const released = found.rows.filter((row) => row.released).map(({ hold_id }) => hold_id);
  return {
    standing: found.rows.filter(({ stands }) => stands).map(holdOf),
    count: Math.max(0, ...numbers),
    ...(released.length > 0 && { released }),
  };
}

/** @param now epoch milliseconds */
export async function isOnHold(pool: pg.Pool, identityId: string, now: number): Promise<boolean> {
  const found = await pool.query(
    'SELECT FROM identity_hold WHERE identity_id = $1 AND released_at IS NULL AND until > $2 LIMIT 1',
    [identityId, new Date(now)],
  );
  return found.rows.length > 0;
}
