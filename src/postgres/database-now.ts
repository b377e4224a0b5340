/** The database's clock, by which all instances agree. */
import type pg from 'pg';

/** @returns epoch milliseconds */
export async function databaseNow(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now.getTime() ?? 0;
}

/**
 * For what ends or tells something over its time: a process whose clock is ahead must not end what is in use.
 * @param now by the clock of the process
 * @returns the earlier of both clocks, epoch milliseconds
 */
export async function earlierNow(pool: pg.Pool, now: number): Promise<number> {
  return Math.min(now, await databaseNow(pool));
}
