/**
 * Table `mail`: what was handed to the mail server, by a key that is the same for every attempt at the same mail, so
 * that a crash after the server's answer does not send it twice.
 */
import type pg from 'pg';

export type MailState = 'sending' | 'accepted' | 'ambiguous' | 'rejected';

export interface MailRecord {
  readonly state: MailState;
  readonly attempts: number;
  /** When the outcome was known; epoch milliseconds. */
  readonly settledAt?: number;
}

export interface MailAttempt {
  readonly key: string;
  readonly identityId: string;
  readonly kind: string;
  readonly messageId: string;
  readonly now: number;
}

/** Notes that the mail is about to be handed over. @returns what was known of it before */
export async function beginMail(pool: pg.Pool, attempt: MailAttempt): Promise<MailRecord | undefined> {
  const before = await readMail(pool, attempt.key);
  if (before?.state === 'accepted' || before?.state === 'rejected') return before;
  await pool.query(
    `INSERT INTO mail AS known (message_key, identity_id, kind, message_id, state, attempts, first_tried_at)
     VALUES ($1, $2, $3, $4, 'sending', 1, $5)
     ON CONFLICT (message_key) DO UPDATE SET state = 'sending', attempts = known.attempts + 1, settled_at = NULL`,
    [attempt.key, attempt.identityId, attempt.kind, attempt.messageId, new Date(attempt.now)],
  );
  return before;
}

export async function settleMail(pool: pg.Pool, key: string, state: MailState, now: number): Promise<void> {
  await pool.query('UPDATE mail SET state = $2, settled_at = $3 WHERE message_key = $1', [
    key,
    state,
    new Date(now),
  ]);
}

export async function readMail(pool: pg.Pool, key: string): Promise<MailRecord | undefined> {
  const found = await pool.query<{ state: MailState; attempts: number; settled_at: Date | null }>(
    'SELECT state, attempts, settled_at FROM mail WHERE message_key = $1',
    [key],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  return {
    state: row.state,
    attempts: row.attempts,
    ...(row.settled_at === null ? {} : { settledAt: row.settled_at.getTime() }),
  };
}
