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
