/**
 * Table `deletion_intent`: written right before Kratos is told to delete an identity that exists. An attempt
 * that finds the identity gone can tell by it whether an earlier attempt deleted it, or somebody else.
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

/** SQL: whether the engine has told Kratos to delete the identity, and has not seen it since. @param column of its id */
export const isBeingDeleted = (column: string): string =>
  `EXISTS (SELECT FROM deletion_intent WHERE deletion_intent.identity_id = ${column})`;

/** The identity exists, so the intended deletion had no effect; or the identity was buried. */
export async function forgetDeletionIntent(
  client: pg.Pool | pg.PoolClient,
  identityId: string,
): Promise<void> {
  await client.query('DELETE FROM deletion_intent WHERE identity_id = $1', [identityId]);
}
