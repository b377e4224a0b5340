/** What Dormouse keeps and forgets when an identity is deleted. */
import type pg from 'pg';
import type { PolicyReference } from '../domain/plan.js';
import { destroyKey } from './personal-data.js';
import { inTransaction } from './pool.js';
import { forgetActivity } from './user-activity.js';

/**
 * Forgets activity, disablement, links, postponements and the addresses that notices went to, destroys the keys of its personal data, and leaves a tombstone
 * without personal data. Safe to repeat.
 */
export async function buryIdentity(
  pool: pg.Pool,
  identityId: string,
  policy: PolicyReference | undefined,
  deletedAt: number,
  action: 'delete' | 'anonymise' = 'delete',
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await forgetActivity(client, identityId);
    await client.query('DELETE FROM disablement WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM link WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM postponement WHERE identity_id = $1', [identityId]);
    await destroyKey(client, identityId);
    await client.query('DELETE FROM notified_address WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM address_key WHERE identity_id = $1', [identityId]);
    await client.query(
      `INSERT INTO tombstone (identity_id, deleted_at, policy_id, policy_version, action) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (identity_id) DO NOTHING`,
      [identityId, new Date(deletedAt), policy?.id ?? null, policy?.version ?? null, action],
    );
  });
}

export async function isBuried(pool: pg.Pool, identityId: string): Promise<boolean> {
  const found = await pool.query('SELECT 1 FROM tombstone WHERE identity_id = $1', [identityId]);
  return found.rows.length > 0;
}

/** Whether the identity was emptied: its shell in Kratos is nobody. */
export async function isAnonymised(pool: pg.Pool, identityId: string): Promise<boolean> {
  return (await anonymisedAmong(pool, [identityId])).size > 0;
}

export async function anonymisedAmong(pool: pg.Pool, identityIds: readonly string[]): Promise<Set<string>> {
  const found = await pool.query<{ identity_id: string }>(
    "SELECT identity_id FROM tombstone WHERE identity_id = ANY($1::uuid[]) AND action = 'anonymise'",
    [identityIds],
  );
  return new Set(found.rows.map((row) => row.identity_id));
}
