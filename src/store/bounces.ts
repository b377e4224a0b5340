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
    'SELECT mail_come_back(message_key, $2, $3, $4) AS identity_id FROM mail WHERE message_id = $1',
    [bounce.messageId, bounce.kind, bounce.code ?? null, new Date(Math.min(bounce.at ?? now, now))],
  );
  return noted.rows[0]?.identity_id;
}
