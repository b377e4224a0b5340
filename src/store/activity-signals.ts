/** Records signs of life and says, in the same statement, whose workflow must hear of them now. */
import type pg from 'pg';
import { type IdentitySign, latestSigns, signColumns, upsertSigns } from './user-activity.js';

/** The rule, over `standing` and `activity_signal AS told`; the fifth parameter is now. */
const mustHear = `
  (standing.identity_id IS NULL OR standing.off_bottom OR told.signalled_at IS NULL
    OR told.signalled_at <= $5::timestamptz - standing.signal_window_ms * interval '1 millisecond')`;

/**
 * Records a batch (see `recordSigns`) and claims the signals that are due: for identities that have no lifecycle yet,
 * that are off the bottom of the ladder, or whose workflow was last told longer than its window ago. A sign that moves
 * nothing forward claims nothing.
 *
 * @param now epoch milliseconds
 * @returns the identities whose workflow must be told
 */
export async function recordAndClaim(
  pool: pg.Pool,
  signs: readonly IdentitySign[],
  now: number,
): Promise<string[]> {
  if (signs.length === 0) return [];
  const rows = latestSigns(signs);
  const claimed = await pool.query<{ identity_id: string }>(
    `WITH stored AS (
       ${upsertSigns}
       RETURNING identity_id
     ), due AS (
       SELECT DISTINCT stored.identity_id
       FROM stored
       LEFT JOIN standing USING (identity_id)
       LEFT JOIN activity_signal AS told USING (identity_id)
       WHERE ${mustHear}
       ORDER BY stored.identity_id
     )
     INSERT INTO activity_signal (identity_id, signalled_at) SELECT identity_id, $5 FROM due
     ON CONFLICT (identity_id) DO UPDATE SET signalled_at = EXCLUDED.signalled_at
     RETURNING identity_id`,
    [...signColumns(rows), new Date(now)],
  );
  return claimed.rows.map((row) => row.identity_id);
}

/** Gives a claim back when the workflow could not be told, so that the next sign of life tries again. */
export async function giveBackClaims(pool: pg.Pool, identityIds: readonly string[]): Promise<void> {
  if (identityIds.length === 0) return;
  await pool.query('DELETE FROM activity_signal WHERE identity_id = ANY($1::uuid[])', [identityIds]);
}

/**
 * Whose workflow has to hear of these signs: the same rule as `recordAndClaim`, asked before anything is recorded. So a
 * death between telling and recording repeats a harmless signal, where the other order would lose one.
 */
export async function whoMustHear(
  pool: pg.Pool,
  signs: readonly IdentitySign[],
  now: number,
): Promise<string[]> {
  const found = await pool.query<{ identity_id: string }>(
    `SELECT DISTINCT sign.identity_id
     FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[]) AS sign (identity_id, kind, at, source)
     LEFT JOIN identity_activity AS known USING (identity_id, kind)
     LEFT JOIN standing USING (identity_id)
     LEFT JOIN activity_signal AS told USING (identity_id)
     WHERE (known.last_active_at IS NULL OR known.last_active_at < sign.at)
       AND ${mustHear}`,
    [...signColumns(signs), new Date(now)],
  );
  return found.rows.map((row) => row.identity_id);
}
