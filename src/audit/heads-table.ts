/** Table `audit_head`: signed heads of the audit log's chain. Append-only, like the log. */
import type pg from 'pg';
import { inTransaction } from '../postgres/pool.js';
import type { ChainHead } from './chain.js';

export interface SignedHead extends ChainHead {
  /** When it was signed, epoch milliseconds. */
  readonly at: number;
  /** Thumbprint of the key (RFC 7638). */
  readonly keyId: string;
  /** JWS, compact serialization. */
  readonly signature: string;
}

/** A row of a head, as its own table and that of checkpoints have it. */
export interface HeadRow {
  readonly seq: string;
  readonly hash: string;
  readonly signed_at: Date;
  readonly key_id: string;
  readonly signature: string;
}

export const headColumns = 'seq, hash, signed_at, key_id, signature';

export function headOf(row: HeadRow): SignedHead {
  return {
    seq: Number(row.seq),
    hash: row.hash,
    at: row.signed_at.getTime(),
    keyId: row.key_id,
    signature: row.signature,
  };
}

/** Lets one signer work at a time, so that heads are signed in order. */
export async function underSigningLock<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> {
  return inTransaction(pool, async (client) => {
    // This connection only holds the lock, while the chain is read.
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await client.query('SET LOCAL lock_timeout = 0');
    await client.query("SELECT pg_advisory_xact_lock(hashtext('dormouse/audit-head'))");
    return work();
  });
}

/** Only for an existing row of the log with this hash. */
export async function writeHead(pool: pg.Pool, head: SignedHead): Promise<void> {
  await pool.query('SELECT audit_head_add($1, $2, $3, $4, $5)', [
    head.seq,
    head.hash,
    new Date(head.at),
    head.keyId,
    head.signature,
  ]);
}

/** The heads that name a key as their signer, last rows first. */
export async function* streamHeadsBackwards(
  pool: pg.Pool,
  keyId: string,
  pageSize = 100,
): AsyncGenerator<SignedHead> {
  for (let skipped = 0; ; skipped += pageSize) {
    const page = await pool.query<HeadRow>(
      `SELECT ${headColumns} FROM audit_head WHERE key_id = $1
       ORDER BY seq DESC, signature COLLATE "C" OFFSET $2 LIMIT $3`,
      [keyId, skipped, pageSize],
    );
    for (const row of page.rows) yield headOf(row);
    if (page.rows.length < pageSize) return;
  }
}

/** The heads of rows `after` < seq <= `upTo`, in the order of their rows. */
export async function readHeads(pool: pg.Pool, after: number, upTo: number): Promise<SignedHead[]> {
  const found = await pool.query<HeadRow>(
    `SELECT ${headColumns} FROM audit_head WHERE seq > $1 AND seq <= $2 ORDER BY seq, key_id, signature`,
    [after, upTo],
  );
  return found.rows.map(headOf);
}

/** All heads in the order of their rows, page by page. */
export async function* streamHeads(pool: pg.Pool, after = 0, pageSize = 1_000): AsyncGenerator<SignedHead> {
  let place = { seq: after, keyId: '~', signature: '' };
  for (;;) {
    const page = await pool.query<HeadRow>(
      `SELECT ${headColumns} FROM audit_head
       WHERE (seq, key_id COLLATE "C", signature COLLATE "C") > ($1, $2, $3)
       ORDER BY seq, key_id COLLATE "C", signature COLLATE "C" LIMIT $4`,
      [place.seq, place.keyId, place.signature, pageSize],
    );
    for (const row of page.rows) yield headOf(row);
    const last = page.rows.at(-1);
    if (last === undefined) return;
    place = { seq: Number(last.seq), keyId: last.key_id, signature: last.signature };
  }
}
