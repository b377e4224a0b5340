/** Deletes rows past their retention: a bounded number at once, and none that another session is changing. */
import type pg from 'pg';

/** Rows of a table deleted in one statement. The next pass deletes the rest. */
export const removedAtOnce = 5_000;

/**
 * To be called by the room that owns the table.
 * @param condition our own text, never a caller's, with the time as $1
 * @returns how many rows were deleted
 */
export async function removeOld(
  pool: pg.Pool,
  table: string,
  condition: string,
  before: Date,
): Promise<number> {
  const gone = await pool.query(
    `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [before, removedAtOnce],
  );
  return gone.rowCount ?? 0;
}
