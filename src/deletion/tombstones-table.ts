/** What Dormouse keeps and forgets when an identity is deleted. */
import type pg from 'pg';
import type { Buried } from '../domain/lifecycle/assessment.js';
import type { Remembered } from '../domain/lifecycle/state.js';
import type { PolicyReference } from '../domain/plan.js';
import { destroyKey } from '../keys/personal-data.js';
import { inTransaction } from '../postgres/pool.js';
import { forgetActivity } from '../signs/signs-table.js';

/**
 * Forgets activity, disablement, links, postponements and the addresses that notices went to, destroys the keys of its personal data, and leaves a tombstone
 * without personal data. Holds and exemptions stay. Safe to repeat.
 * @param remembered what an identity stands by that shows up again; absent where the engine itself ended it
 */
export async function buryIdentity(
  pool: pg.Pool,
  identityId: string,
  policy: PolicyReference | undefined,
  deletedAt: number,
  action: 'delete' | 'anonymise' = 'delete',
  remembered?: Remembered,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(
      `INSERT INTO tombstone (identity_id, deleted_at, policy_id, policy_version, action, remembered)
       VALUES ($1, $2, $3, $4, $5, $6::jsonb || jsonb_build_object(
         'disablement', (SELECT to_jsonb(disablement) FROM disablement WHERE identity_id = $1)
       ))
       ON CONFLICT (identity_id) DO NOTHING`,
      [
        identityId,
        new Date(deletedAt),
        policy?.id ?? null,
        policy?.version ?? null,
        action,
        remembered === undefined ? null : JSON.stringify(remembered),
      ],
    );
    await forgetActivity(client, identityId);
    await client.query('DELETE FROM disablement WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM link WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM postponement WHERE identity_id = $1', [identityId]);
    await destroyKey(client, identityId);
    await client.query('DELETE FROM notified_address WHERE identity_id = $1', [identityId]);
    await client.query('DELETE FROM address_key WHERE identity_id = $1', [identityId]);
    for (const table of [
      'kratos_witness',
      'absence_confirmation',
      'deletion_intent',
      'mail_preference',
      'return_address',
    ]) {
      await client.query(`DELETE FROM ${table} WHERE identity_id = $1`, [identityId]);
    }
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

/** @returns what was kept of somebody who was buried; `undefined` where nobody was, and of a shell, which stays nobody */
export async function readBurial(pool: pg.Pool, identityId: string): Promise<Buried | undefined> {
  const found = await pool.query<{ deleted_at: Date; remembered: Remembered | null }>(
    `SELECT deleted_at, remembered - 'disablement' AS remembered FROM tombstone
     WHERE identity_id = $1 AND action <> 'anonymise'`,
    [identityId],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const { deleted_at: deletedAt, remembered } = row;
  return { at: deletedAt.getTime(), ...(remembered === null ? {} : { remembered }) };
}

/** Somebody who was buried is there again: what the engine itself had disabled is known as its own work again. Safe to repeat. */
export async function liftTombstone(pool: pg.Pool, identityId: string): Promise<void> {
  await pool.query('SELECT lift_tombstone($1)', [identityId]);
}
