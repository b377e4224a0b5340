/** Resets the breaker as in a new installation, because it counts and trips for all tests of a database together. */
import type pg from 'pg';

export async function clearBreaker(pool: pg.Pool): Promise<void> {
  await pool.query('DELETE FROM breaker_grant');
  await pool.query('DELETE FROM activity_feed');
  await pool.query('DELETE FROM activity_mark');
  await pool.query('UPDATE breaker_trip SET released_at = tripped_at WHERE released_at IS NULL');
}
