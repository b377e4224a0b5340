/**
 * Table `activity_mark`: a sample of the signs of life that were recorded, kept apart from them. Signs only move forward and
 * go with their identity, so one that is marked and not held any more was lost, as by bringing back a table from a backup.
 */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import type { IdentitySign } from './identity-sign.js';

export type ActivityMark = Pick<IdentitySign, 'identityId' | 'at'>;

const periodMs = 600_000;
/** Identities that are marked in each period. */
export const marksPerPeriod = 10;
/** The newest marks are looked up before each act: a day and a half of a busy site, and a few milliseconds. */
const marksLookedAt = 2_000;
const keptMs = 30 * dayMs;

/** Marks signs that are recorded already. What was forgotten since then is left out. */
export async function keepMarks(pool: pg.Pool, marks: readonly ActivityMark[], now: number): Promise<void> {
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

/** Marked, of an identity that has a lifecycle and is not deleted, and not held. */
const lost = `
  EXISTS (SELECT FROM standing WHERE standing.identity_id = mark.identity_id)
  AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = mark.identity_id)
  AND NOT EXISTS (
    SELECT FROM identity_activity AS held
    WHERE held.identity_id = mark.identity_id AND held.last_active_at >= mark.newest_at)`;

/** @returns when the newest lost sign was; `undefined` where none is known to be lost */
export async function newestLostSign(client: pg.Pool | pg.PoolClient): Promise<number | undefined> {
  const found = await client.query<{ newest_at: Date }>(
    `SELECT newest_at FROM (SELECT * FROM activity_mark ORDER BY period DESC LIMIT $1) AS mark
     WHERE ${lost} ORDER BY newest_at DESC LIMIT 1`,
    [marksLookedAt],
  );
  return found.rows[0]?.newest_at.getTime();
}

/** Somebody has looked at what was lost up to now. */
export async function forgetLostMarks(client: pg.PoolClient): Promise<void> {
  await client.query(`DELETE FROM activity_mark AS mark WHERE ${lost}`);
}
