/** Table `month_report`: the months whose report went out by mail. */
import type pg from 'pg';

export interface MailedMonth {
  /** As `2026-10`. */
  readonly month: string;
  readonly recipients: number;
  /** For how many of them a mail server took it. */
  readonly accepted: number;
}

/** @returns the months that went out, the oldest first */
export async function readMailedMonths(pool: pg.Pool): Promise<string[]> {
  const found = await pool.query<{ month: string }>('SELECT month FROM month_report ORDER BY month');
  return found.rows.map(({ month }) => month);
}

/** A month that is there already stays as it is. @param at epoch milliseconds */
export async function writeMailed(pool: pg.Pool, mailed: MailedMonth, at: number): Promise<void> {
  const { month, recipients, accepted } = mailed;
  await pool.query(
    `INSERT INTO month_report (month, mailed_at, recipients, accepted) VALUES ($1, $2, $3, $4)
     ON CONFLICT (month) DO NOTHING`,
    [month, new Date(at), recipients, accepted],
  );
}
