/** How many mails of a time are in which state now, from the table `mail`. */
import type pg from 'pg';
import type { MailState } from './mails-table.js';

export interface MailCount {
  readonly kind: string;
  readonly state: MailState;
  readonly count: number;
}

/**
 * Copies whose outcome became known in that time and that are still kept.
 * @param from epoch milliseconds
 * @param to epoch milliseconds, excluded
 */
export async function countMailsSettled(pool: pg.Pool, from: number, to: number): Promise<MailCount[]> {
  const found = await pool.query<MailCount>(
    `SELECT kind, state, count(*)::int AS count FROM mail WHERE settled_at >= $1 AND settled_at < $2
     GROUP BY kind, state ORDER BY kind, state`,
    [new Date(from), new Date(to)],
  );
  return found.rows;
}
