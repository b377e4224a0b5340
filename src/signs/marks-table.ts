/**
 * Table `activity_mark`: a sample of the recorded signs of life, kept apart from them. The time of a sign
 * only moves forward, and signs are deleted only with their identity. So a marked sign that is missing was
 * lost, for example by restoring a table from a backup.
 */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import type { IdentitySign } from './identity-sign.js';

export type SignMark = Pick<IdentitySign, 'identityId' | 'at'>;

const periodMs = 600_000;
/** Number of identities marked in each period. */
export const marksPerPeriod = 10;
/**
 * How many of the newest marks are checked before each act: a day and a half of a
 * busy site, and a few milliseconds.
 */
const marksLookedAt = 2_000;
const keptMs = 30 * dayMs;

/** Marks signs that are already recorded. Signs deleted since then are left out. */
export async function keepMarks(pool: pg.Pool, marks: readonly SignMark[], now: number): Promise<void> {
  if (marks.length === 0) return;
  await pool.query(
    `INSERT INTO activity_mark AS known (period, identity_id, newest_at)
     SELECT $1, sign.identity_id, max(sign.at)
     FROM unnest($2::uuid[], $3::timestamptz[]) AS sign (identity_id, at)
     WHERE EXISTS (
         SELECT FROM identity_activity AS held
         WHERE held.identity_id = sign.identity_id AND held.last_active_at >= sign.at)
       AND (SELECT count(*) FROM activity_mark WHERE period = $1) < $4
     GROUP BY sign.identity_id
     ON CONFLICT (period, identity_id) DO UPDATE SET newest_at = greatest(known.newest_at, EXCLUDED.newest_at)`,
    [
      new Date(Math.floor(now / periodMs) * periodMs),
      marks.map(({ identityId }) => identityId),
      marks.map(({ at }) => new Date(at)),
      marksPerPeriod,
    ],
  );
  await pool.query('DELETE FROM activity_mark WHERE period < $1', [new Date(now - keptMs)]);
}

/** A mark without its sign, of an identity that has a lifecycle and is not deleted. */
const lost = `
  EXISTS (SELECT FROM standing WHERE standing.identity_id = mark.identity_id)
  AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = mark.identity_id)
  AND NOT EXISTS (
    SELECT FROM identity_activity AS held
    WHERE held.identity_id = mark.identity_id AND held.last_active_at >= mark.newest_at)`;

/** @returns the time of the newest lost sign; `undefined` where none is known to be lost */
export async function newestLostSign(client: pg.Pool | pg.PoolClient): Promise<number | undefined> {
  const found = await client.query<{ newest_at: Date }>(
    `SELECT newest_at FROM (SELECT * FROM activity_mark ORDER BY period DESC LIMIT $1) AS mark
     WHERE ${lost} ORDER BY newest_at DESC LIMIT 1`,
    [marksLookedAt],
  );
  return found.rows[0]?.newest_at.getTime();
}

/** An operator has reviewed what was lost up to now. */
export async function forgetLostMarks(client: pg.PoolClient): Promise<void> {
  await client.query(`DELETE FROM activity_mark AS mark WHERE ${lost}`);
}
