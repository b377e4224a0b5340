/** Bounces, noted in table `mail`: what came back after the mail server had taken a mail. */
import type pg from 'pg';
import type { Bounce } from '../mail/bounce.js';

/**
 * Notes a bounce of the mail with this Message-ID. A hard one makes the mail count no longer, for good: later ones, and
 * milder ones, change nothing. Others are kept for operators only.
 * @returns the identity that the mail went to; `undefined` when there is no such mail
 */
export async function recordBounce(pool: pg.Pool, bounce: Bounce, now: number): Promise<string | undefined> {
  const noted = await pool.query<{ identity_id: string }>(
    `UPDATE mail SET
       state = CASE WHEN $2 = 'hard' AND state <> 'rejected' THEN 'bounced' ELSE state END,
       bounce_class = CASE WHEN bounce_class = 'hard' THEN 'hard' ELSE $2 END,
       bounce_code = CASE WHEN bounce_class = 'hard' THEN bounce_code ELSE $3 END,
       bounced_at = CASE WHEN bounce_class = 'hard' THEN bounced_at ELSE $4 END
     WHERE message_id = $1 RETURNING identity_id`,
    [bounce.messageId, bounce.kind, bounce.code ?? null, new Date(Math.min(bounce.at ?? now, now))],
  );
  return noted.rows[0]?.identity_id;
}

/** Identities whose next step waits for a notice that can be delivered. */
export interface Unreached {
  readonly identityId: string;
  readonly stage: string;
  readonly step: string | null;
  readonly lastActiveAt: number;
  /** What became of the latest notice. */
  readonly outcome: string | null;
}

/** @returns the work list: who can't be reached by mail, by the rung that waits for it */
export async function listUnreached(pool: pg.Pool): Promise<Unreached[]> {
  const found = await pool.query<Unreached>(
    `SELECT identity_id AS "identityId", stage, next_step AS step,
       (EXTRACT(epoch FROM last_active_at) * 1000)::float8 AS "lastActiveAt",
       document #>> '{notices,-1,outcome}' AS outcome
     FROM standing WHERE blocked_by = 'no-notice' ORDER BY next_step, identity_id`,
  );
  return found.rows;
}
