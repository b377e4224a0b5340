/** Table `mail_preference`: the identities that want no mail that is not owed. */
import type pg from 'pg';

/** Safe to repeat; the first time stays. */
export async function unsubscribe(pool: pg.Pool, identityId: string, at: number): Promise<void> {
  await pool.query(
    `INSERT INTO mail_preference (identity_id, unsubscribed_at) VALUES ($1, $2) ON CONFLICT (identity_id) DO NOTHING`,
    [identityId, new Date(at)],
  );
}

export async function isUnsubscribed(pool: pg.Pool, identityId: string): Promise<boolean> {
  const found = await pool.query('SELECT 1 FROM mail_preference WHERE identity_id = $1', [identityId]);
  return found.rows.length > 0;
}

/** For an identity that no longer exists. */
export async function forgetPreference(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM mail_preference WHERE identity_id = $1', [identityId]);
}
