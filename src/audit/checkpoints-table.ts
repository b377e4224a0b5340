/**
 * Table `audit_checkpoint`: the row from which on the audit log is kept, and the signed head
 * that vouches for the rows before.
 */
import type pg from 'pg';
import { type ChainHead, genesis } from './chain.js';
import { type HeadRow, headColumns, headOf, type SignedHead } from './heads-table.js';

export interface Checkpoint extends SignedHead {
  /** When the rows before it were removed, epoch milliseconds. */
  readonly prunedAt: number;
  readonly actor: string;
}

/** @returns the latest checkpoint; `undefined` where the log was never pruned */
export async function readCheckpoint(pool: pg.Pool): Promise<Checkpoint | undefined> {
  const found = await pool.query<HeadRow & { pruned_at: Date; actor: string }>(
    `SELECT ${headColumns}, pruned_at, actor FROM audit_checkpoint ORDER BY seq DESC LIMIT 1`,
  );
  const row = found.rows[0];
  return row === undefined
    ? undefined
    : { ...headOf(row), prunedAt: row.pruned_at.getTime(), actor: row.actor };
}

/** Where the computation of the chain starts: the first row, or the row of the latest checkpoint. */
export async function readChainStart(pool: pg.Pool): Promise<ChainHead> {
  const checkpoint = await readCheckpoint(pool);
  return checkpoint === undefined
    ? { seq: 0, hash: genesis }
    : { seq: checkpoint.seq, hash: checkpoint.hash };
}

/**
 * Removes the rows before a signed one, and their heads, and writes the checkpoint.
 * @param client in a transaction, as the owner of the tables
 * @returns how many rows were removed
 */
export async function pruneBefore(
  client: pg.PoolClient,
  head: SignedHead,
  { actor, at }: { readonly actor: string; readonly at: number },
): Promise<number> {
  await client.query(
    `INSERT INTO audit_checkpoint (${headColumns}, pruned_at, actor)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [head.seq, head.hash, new Date(head.at), head.keyId, head.signature, new Date(at), actor],
  );
  const gone = await client.query('DELETE FROM audit WHERE seq < $1', [head.seq]);
  await client.query('DELETE FROM audit_head WHERE seq < $1', [head.seq]);
  return gone.rowCount ?? 0;
}
