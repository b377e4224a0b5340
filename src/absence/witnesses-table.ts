/** Table `kratos_witness`: a sample of identities that Kratos had, with their creation dates. */
import type pg from 'pg';
import { isBeingDeleted } from '../deletion/intents-table.js';

export interface Witness {
  readonly identityId: string;
  /** As Kratos states it, epoch milliseconds. */
  readonly createdAt: number;
}

/** Number of witnesses kept of each sort: created last, and seen last. */
const kept = 32;
/** Number of witnesses checked of each sort. */
const asked = 4;

/** @param seenAt when the identity was seen in Kratos, epoch milliseconds */
export async function noteWitness(
  pool: pg.Pool,
  witness: Witness & { readonly seenAt: number },
): Promise<void> {
  const { identityId, createdAt, seenAt } = witness;
  await pool.query(
    `INSERT INTO kratos_witness AS known (identity_id, created_at, seen_at) VALUES ($1, $2, $3)
     ON CONFLICT (identity_id) DO UPDATE
       SET created_at = EXCLUDED.created_at, seen_at = greatest(known.seen_at, EXCLUDED.seen_at)`,
    [identityId, new Date(createdAt), new Date(seenAt)],
  );
  await pool.query(
    `DELETE FROM kratos_witness WHERE identity_id IN (
       SELECT identity_id FROM (
         SELECT identity_id, row_number() OVER (ORDER BY created_at DESC, identity_id) AS by_creation,
           row_number() OVER (ORDER BY seen_at DESC, identity_id) AS by_sight
         FROM kratos_witness
       ) AS ranked WHERE by_creation > $1 AND by_sight > $1
     )`,
    [kept],
  );
}

/**
 * Leaves out identities that the engine itself is deleting: when many go at once, each would doubt the others' absence.
 * @returns other identities that should exist: some of those created last, and some of those seen last
 */
export async function readWitnesses(pool: pg.Pool, identityId: string): Promise<Witness[]> {
  const found = await pool.query<{ identity_id: string; created_at: Date }>(
    // guard: absence: an identity that is being deleted stands for nobody
    `WITH others AS (
       SELECT identity_id, created_at, seen_at FROM kratos_witness AS witness
       WHERE identity_id <> $1
         AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = witness.identity_id)
         AND NOT ${isBeingDeleted('witness.identity_id')}
     )
     (SELECT identity_id, created_at FROM others ORDER BY created_at DESC, identity_id LIMIT $2)
     UNION
     (SELECT identity_id, created_at FROM others ORDER BY seen_at DESC, identity_id LIMIT $2)`,
    [identityId, asked],
  );
  return found.rows.map(({ identity_id, created_at }) => ({
    identityId: identity_id,
    createdAt: created_at.getTime(),
  }));
}

/** For an identity that no longer exists. */
export async function forgetWitness(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM kratos_witness WHERE identity_id = $1', [identityId]);
}
