/** What Dormouse keeps and forgets when an identity is deleted. */
import type pg from 'pg';
import type { PolicyReference } from '../domain/plan.js';
import { inTransaction } from './pool.js';

/** Forgets activity, disablement and the addresses that notices went to, destroys their key, and leaves a tombstone without personal data. Safe to repeat. */
export async function buryIdentity(
  pool: pg.Pool,
  identityId: string,
  policy: PolicyReference | undefined,
  deletedAt: number,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('DELETE FROM identity_activity WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM disablement WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM notified_address WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM address_key WHERE identity_id = $1', [identityId]);
    await client.query(
      `INSERT INTO tombstone (identity_id, deleted_at, policy_id, policy_version) VALUES ($1, $2, $3, $4)
       ON CONFLICT (identity_id) DO NOTHING`,
      [identityId, new Date(deletedAt), policy?.id ?? null, policy?.version ?? null],
    );
  });
}

export async function isBuried(pool: pg.Pool, identityId: string): Promise<boolean> {
  const found = await pool.query('SELECT 1 FROM tombstone WHERE identity_id = $1', [identityId]);
  return found.rows.length > 0;
}
