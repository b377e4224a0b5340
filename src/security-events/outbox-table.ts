/** Table `signal_outbox`: security events that wait for delivery to receivers. */
import type pg from 'pg';
import type { AppendedEntry } from '../audit/log-table.js';
import { removeOld } from '../postgres/remove-old.js';
import { type EventName, retryAfterMs, securityEventOf } from './rules.js';
import { jtiOf, type SecurityEvent } from './token.js';

export interface Subscription {
  readonly name: string;
  readonly events: readonly EventName[];
}

/** Writes the security events of audit rows, in the same transaction. */
export async function fillOutbox(
  client: pg.PoolClient,
  appended: readonly AppendedEntry[],
  receivers: readonly Subscription[],
): Promise<void> {
  for (const { seq, entry } of appended) {
    const event = securityEventOf(entry);
    if (event === undefined) continue;
    for (const { name } of receivers.filter(({ events }) => events.includes(event))) {
      await client.query(
        `INSERT INTO signal_outbox (jti, receiver, signal, identity_id, audit_seq, occurred_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (jti) DO NOTHING`,
        [jtiOf(entry, name, event), name, event, entry.target, seq, new Date(entry.occurredAt)],
      );
    }
  }
}

/**
 * The next event that is due at a receiver. Events of one account keep their order: a later event waits while
 * an earlier one is still retried. A parked event does not hold up later ones.
 * @param now epoch milliseconds
 */
export async function readNextDue(
  pool: pg.Pool,
  receiver: string,
  now: number,
): Promise<SecurityEvent | undefined> {
  const found = await pool.query(
    // guard: security events: the events of one account keep their order
    `SELECT jti, signal, identity_id, audit_seq, occurred_at, created_at FROM signal_outbox AS due
     WHERE receiver = $1 AND state = 'pending' AND next_attempt_at <= $2
       AND NOT EXISTS (
         SELECT FROM signal_outbox AS earlier
         WHERE earlier.receiver = due.receiver AND earlier.identity_id = due.identity_id
           AND earlier.state = 'pending' AND earlier.audit_seq < due.audit_seq)
     ORDER BY audit_seq LIMIT 1`,
    [receiver, new Date(now)],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  return {
    jti: row.jti,
    name: row.signal,
    identityId: row.identity_id,
    auditSeq: Number(row.audit_seq),
    occurredAt: row.occurred_at.getTime(),
    createdAt: row.created_at.getTime(),
  };
}

export async function markDelivered(pool: pg.Pool, jti: string, now: number): Promise<void> {
  await pool.query(
    `UPDATE signal_outbox SET state = 'delivered', attempts = attempts + 1, last_error = NULL, settled_at = $2
     WHERE jti = $1 AND state = 'pending'`,
    [jti, new Date(now)],
  );
}

export async function markParked(pool: pg.Pool, jti: string, error: string, now: number): Promise<void> {
  await pool.query(
    `UPDATE signal_outbox SET state = 'parked', attempts = attempts + 1, last_error = $2, settled_at = $3
     WHERE jti = $1 AND state = 'pending'`,
    [jti, error, new Date(now)],
  );
}

/**
 * Notes a failed attempt. The event is retried later, or parked after too many attempts.
 * @returns whether it is parked
 */
export async function markFailed(pool: pg.Pool, jti: string, error: string, now: number): Promise<boolean> {
  const counted = await pool.query<{ attempts: number }>(
    `UPDATE signal_outbox SET attempts = attempts + 1, last_error = $2 WHERE jti = $1 AND state = 'pending'
     RETURNING attempts`,
    [jti, error],
  );
  const attempts = counted.rows[0]?.attempts;
  if (attempts === undefined) return false;
  const afterMs = retryAfterMs(attempts);
  // guard: security events: a delivery that fails for long is parked, not forgotten
  const isParked = afterMs === undefined;
  await pool.query(
    `UPDATE signal_outbox SET state = $2, next_attempt_at = $3, settled_at = $4 WHERE jti = $1 AND state = 'pending'`,
    [jti, isParked ? 'parked' : 'pending', new Date(now + (afterMs ?? 0)), isParked ? new Date(now) : null],
  );
  return isParked;
}

/** Deletes events delivered before a time, epoch milliseconds. The audit log stays. */
export async function forgetDelivered(pool: pg.Pool, before: number): Promise<void> {
  await pool.query("DELETE FROM signal_outbox WHERE state = 'delivered' AND settled_at < $1", [
    new Date(before),
  ]);
}

export const outboxStates = ['pending', 'delivered', 'parked'] as const;
export type OutboxState = (typeof outboxStates)[number];

export interface OutboxRow {
  readonly jti: string;
  readonly receiver: string;
  /** The event's name. */
  readonly name: string;
  readonly identityId: string;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly lastError: string | null;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
}

/** The oldest first. */
export async function listOutbox(pool: pg.Pool, state: OutboxState, limit: number): Promise<OutboxRow[]> {
  const found = await pool.query(
    `SELECT jti, receiver, signal, identity_id, state, attempts, last_error, occurred_at FROM signal_outbox
     WHERE state = $1 ORDER BY audit_seq, receiver LIMIT $2`,
    [state, limit],
  );
  return found.rows.map((row) => ({
    jti: row.jti,
    receiver: row.receiver,
    name: row.signal,
    identityId: row.identity_id,
    state: row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    occurredAt: row.occurred_at.getTime(),
  }));
}

/** Which parked events; without fields, all. */
export interface ParkedChoice {
  readonly receiver?: string;
  readonly jti?: string;
}

/** Retries parked events, counting attempts from zero. @returns how many */
export async function retryParked(database: pg.Pool | pg.PoolClient, which: ParkedChoice): Promise<number> {
  const changed = await database.query(
    `UPDATE signal_outbox SET state = 'pending', attempts = 0, next_attempt_at = to_timestamp(0), settled_at = NULL
     WHERE state = 'parked' AND ($1::text IS NULL OR receiver = $1) AND ($2::text IS NULL OR jti = $2)`,
    [which.receiver ?? null, which.jti ?? null],
  );
  return changed.rowCount ?? 0;
}

/** Deletes events that could not be delivered. @returns how many were deleted */
export function forgetOldEvents(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'signal_outbox', "state = 'parked' AND settled_at < $1", before);
}
