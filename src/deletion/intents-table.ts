/**
 * Table `deletion_intent`: written right before Kratos is told to delete an identity that was there. An attempt that finds it
 * gone knows by it whether an earlier one deleted it, or somebody else.
 */
import type pg from 'pg';

/** @param inactiveSince the absence for which it is deleted, epoch milliseconds */
export async function intendDeletion(
  pool: pg.Pool,
  identityId: string,
  inactiveSince: number,
  now: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO deletion_intent (identity_id, inactive_since, intended_at) VALUES ($1, $2, $3)
     ON CONFLICT (identity_id) DO UPDATE SET inactive_since = EXCLUDED.inactive_since, intended_at = EXCLUDED.intended_at`,
    [identityId, new Date(inactiveSince), new Date(now)],
  );
}

export async function isDeletionIntended(
  pool: pg.Pool,
  identityId: string,
  inactiveSince: number,
): Promise<boolean> {
  const found = await pool.query(
    'SELECT FROM deletion_intent WHERE identity_id = $1 AND inactive_since = $2',
    [identityId, new Date(inactiveSince)],
  );
  return found.rows.length > 0;
}

/** The identity is there, so whatever was intended had no effect; or it is no more. */
export async function forgetDeletionIntent(
  client: pg.Pool | pg.PoolClient,
  identityId: string,
): Promise<void> {
  await client.query('DELETE FROM deletion_intent WHERE identity_id = $1', [identityId]);
}
