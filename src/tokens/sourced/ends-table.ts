/** Table `sourced_token`: ends of tokens in apps' own tables, written before the app is told, and settled once they were verified. */
import type pg from 'pg';
import { appendAuditWithin } from '../../audit/log-table.js';
import type { AuditEntry } from '../../domain/audit-entry.js';
import { inTransaction } from '../../postgres/pool.js';
import { removeOld } from '../../postgres/remove-old.js';

export interface IntendedEnd {
  /** SHA-256 of the app's id, hex. */
  readonly idHash: string;
  readonly identityId: string;
  /** The use that the end rests on, epoch milliseconds; absent: none. */
  readonly lastUsedAt?: number;
  readonly entry: AuditEntry;
}

/** Before the app's table is changed. An end of the same use that was tried before counts one attempt more. */
export async function intendEnds(
  pool: pg.Pool,
  source: string,
  ends: readonly IntendedEnd[],
  now: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO sourced_token AS known (source, id_hash, identity_id, entry, last_used_at, intended_at)
     SELECT $1, id_hash, identity_id, entry::jsonb, last_used_at, $6
     FROM unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[]) AS end_of (id_hash, identity_id, entry, last_used_at)
     ON CONFLICT (source, id_hash) DO UPDATE SET identity_id = EXCLUDED.identity_id, entry = EXCLUDED.entry,
       last_used_at = EXCLUDED.last_used_at, intended_at = EXCLUDED.intended_at, settled_at = NULL,
       attempts = CASE WHEN known.last_used_at IS NOT DISTINCT FROM EXCLUDED.last_used_at THEN known.attempts + 1 ELSE 1 END`,
    [
      source,
      ends.map(({ idHash }) => idHash),
      ends.map(({ identityId }) => identityId),
      ends.map(({ entry }) => JSON.stringify(entry)),
      ends.map(({ lastUsedAt }) => (lastUsedAt === undefined ? null : new Date(lastUsedAt))),
      new Date(now),
    ],
  );
}

/** Audits ends, and settles them, in one transaction. @param outcome `assumed`: nobody saw the app's answer */
export async function settleEnds(
  pool: pg.Pool,
  source: string,
  hashes: readonly string[],
  outcome: 'ended' | 'assumed',
  now: number,
): Promise<void> {
  if (hashes.length === 0) return;
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ entry: AuditEntry }>(
      `UPDATE sourced_token SET settled_at = $3
       WHERE source = $1 AND id_hash = ANY($2) AND settled_at IS NULL RETURNING entry`,
      [source, hashes, new Date(now)],
    );
    await appendAuditWithin(
      client,
      rows.map(({ entry }) => ({ ...entry, outcome })),
    );
  });
}

/** The end did not come about: the token was used, or the app refused. */
export async function forgetIntents(pool: pg.Pool, source: string, hashes: readonly string[]): Promise<void> {
  await pool.query(
    'DELETE FROM sourced_token WHERE source = $1 AND id_hash = ANY($2) AND settled_at IS NULL',
    [source, hashes],
  );
}

/** Ends that an earlier sweep began and did not settle. @returns SHA-256 of their ids, 500 at most */
export async function unsettledEnds(pool: pg.Pool, source: string): Promise<string[]> {
  const { rows } = await pool.query<{ id_hash: string }>(
    'SELECT id_hash FROM sourced_token WHERE source = $1 AND settled_at IS NULL ORDER BY id_hash LIMIT 500',
    [source],
  );
  return rows.map((row) => row.id_hash);
}

/** Tokens that were there again after as many ends, though nobody used them. @returns SHA-256 of their ids, with that use */
export async function oftenEnded(
  pool: pg.Pool,
  source: string,
  atLeast: number,
): Promise<Map<string, number | undefined>> {
  const { rows } = await pool.query<{ id_hash: string; last_used_at: Date | null }>(
    'SELECT id_hash, last_used_at FROM sourced_token WHERE source = $1 AND attempts >= $2',
    [source, atLeast],
  );
  return new Map(rows.map((row) => [row.id_hash, row.last_used_at?.getTime()]));
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetSourcedTokens(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM sourced_token WHERE identity_id = $1', [identityId]);
}

/** Forgets ends from before a moment. @returns how many */
export function forgetOldSourcedTokens(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'sourced_token', 'intended_at < $1', before);
}
