/**
 * Removes the older part of the audit log, below a signed row, so that the rest can be verified as before.
 * Only the owner of the tables can do this. Removed rows are lost, so export them first.
 */
import type pg from 'pg';
import { ConfigError } from '../config.js';
import { installationId } from '../domain/audit-entry.js';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import { inTransaction } from '../postgres/pool.js';
import { pruneBefore, readCheckpoint } from './checkpoints-table.js';
import type { SignedHead } from './heads-table.js';
import { appendAuditWithin, readOccurredAt } from './log-table.js';
import { soundHeadsBackwards } from './sign-heads.js';
import { verifyLog } from './verify-log.js';

export interface PruneRequest {
  /** Rows older than this are removed, as far as a signed row lies above them; epoch milliseconds. */
  readonly before: number;
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Pruned {
  readonly rows: number;
  /** The first row that is kept. */
  readonly from: number;
}

/**
 * @param pool connects as the owner of the tables
 * @returns what was removed; `undefined` where no signed row is that old
 * @throws ConfigError where the log is broken, or one of its heads is not sound: nothing is removed
 */
export async function pruneLog(
  pool: pg.Pool,
  key: PrivateSigningKey,
  { before, actor, reason, at }: PruneRequest,
): Promise<Pruned | undefined> {
  const verdict = await verifyLog(pool, { keys: [key] });
  if (verdict.brokenAt !== undefined) {
    throw new ConfigError(
      `the audit log is broken at row ${verdict.brokenAt}: ${verdict.why}. Nothing is removed until that is cleared up: dormouse audit verify`,
    );
  }
  const head = await lastHeadBefore(pool, key, before);
  const checkpoint = await readCheckpoint(pool);
  if (head === undefined || head.seq <= (checkpoint?.seq ?? 1)) return undefined;
  return inTransaction(pool, async (client) => {
    const rows = await pruneBefore(client, head, { actor, at });
    await appendAuditWithin(client, [
      {
        eventId: `audit/pruned/${head.seq}`,
        eventType: 'audit_pruned',
        target: installationId,
        actor,
        occurredAt: at,
        stage: 'none',
        daysInactive: 0,
        outcome: `before row ${head.seq}`,
        detail: { reason, rows, from: head.seq, hash: head.hash },
      },
    ]);
    return { rows, from: head.seq };
  });
}

/** The last sound head of this key whose row is older than the given time. */
async function lastHeadBefore(
  pool: pg.Pool,
  key: PrivateSigningKey,
  before: number,
): Promise<SignedHead | undefined> {
  for await (const head of soundHeadsBackwards(pool, key, () => undefined)) {
    const occurredAt = await readOccurredAt(pool, head.seq);
    if (occurredAt !== undefined && occurredAt < before) return head;
  }
  return undefined;
}
