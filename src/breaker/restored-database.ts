/** Trips the breaker where PostgreSQL was restored from a backup. */
import type pg from 'pg';
import { inTransaction } from '../postgres/pool.js';
import { readRevision } from '../standings/standings-table.js';
import { tripAndAudit } from './decisions.js';
import { lastRelease } from './trips-table.js';

/** What a lifecycle remembers of its last record. */
export interface WrittenBefore {
  /** The revision of the standing. A database with a lower one was restored from a backup. */
  readonly revision: number;
  /** How many operators the policy wants for a release. */
  readonly operators: number;
}

/**
 * A projection older than what its workflow wrote means that PostgreSQL was restored from a backup.
 * Signs of life and revocations of the time between are missing, so nothing destructive continues
 * before an operator has looked.
 */
export async function tripIfRestored(
  pool: pg.Pool,
  identityId: string,
  previous: WrittenBefore,
  now: number,
): Promise<void> {
  const known = await readRevision(pool, identityId);
  if (known !== undefined && known >= previous.revision) return;
  // An operator has reviewed the losses up to then.
  if (previous.revision <= ((await lastRelease(pool, 'restored', 'all')) ?? 0)) return;
  const found = known === undefined ? 'nothing of it' : `its state of ${new Date(known).toISOString()}`;
  const why = `a standing was written at ${new Date(previous.revision).toISOString()}, and PostgreSQL knows ${found}`;
  const { operators } = previous;
  await inTransaction(pool, (client) =>
    tripAndAudit(client, { scope: 'all', cause: 'restored', why, trippedAt: now, operators }),
  );
}
