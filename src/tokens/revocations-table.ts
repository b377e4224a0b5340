/** Table `revocation`: the moment before which an identity's sessions and tokens are void. */
import type pg from 'pg';

/** Moves the moment forward, never back. */
export async function writeNotBefore(pool: pg.Pool, identityId: string, at: number): Promise<void> {
  await pool.query(
    // guard: not_before never moves back
    `INSERT INTO revocation AS known (identity_id, not_before) VALUES ($1, $2)
     ON CONFLICT (identity_id) DO UPDATE SET not_before = GREATEST(known.not_before, EXCLUDED.not_before)`,
    [identityId, new Date(at)],
  );
}

/** @returns epoch milliseconds, or `undefined` when nothing was ever revoked */
export async function readNotBefore(pool: pg.Pool, identityId: string): Promise<number | undefined> {
  const found = await pool.query<{ not_before: Date }>(
    'SELECT not_before FROM revocation WHERE identity_id = $1',
    [identityId],
  );
  return found.rows[0]?.not_before.getTime();
}
