/** Table `activity_source`: the position up to which each source of signs of life has been read. */
import type pg from 'pg';
import type { SourcePosition } from '../workflows/schedule-messages.js';

export interface SourceProgress {
  readonly name: string;
  readonly definition: string;
  readonly position: SourcePosition;
  readonly rows: number;
  readonly unusable: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Begins a poll.
 * @param definition hash of what is read; where it differs from the last one, the position is reset
 * @returns the timestamp at which the last poll ended; `undefined` to start over
 */
export async function beginSource(
  pool: pg.Pool,
  name: string,
  definition: string,
): Promise<string | undefined> {
  const begun = await pool.query<{ cursor_at: string | null }>(
    `INSERT INTO activity_source AS known (name, definition) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET
       definition = EXCLUDED.definition,
       cursor_at = CASE WHEN known.definition = EXCLUDED.definition THEN known.cursor_at END,
       cursor_identity = CASE WHEN known.definition = EXCLUDED.definition THEN known.cursor_identity ELSE '' END
     RETURNING to_char(cursor_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS cursor_at`,
    [name, definition],
  );
  return begun.rows[0]?.cursor_at ?? undefined;
}

/** Moves the position forward, never back: an attempt that Temporal gave up may still be running. */
export async function saveSourceProgress(pool: pg.Pool, progress: SourceProgress): Promise<void> {
  const { name, definition, position, rows, unusable, now } = progress;
  await pool.query(
    `UPDATE activity_source SET
       (cursor_at, cursor_identity) = (
         SELECT at, identity
         FROM (VALUES (cursor_at, cursor_identity), ($3::timestamptz, $4::text COLLATE "C")) AS place (at, identity)
         WHERE at IS NOT NULL ORDER BY at DESC, identity DESC LIMIT 1
       ),
       rows_read = rows_read + $5, rows_unusable = rows_unusable + $6, read_at = $7
     WHERE name = $1 AND definition = $2`,
    [name, definition, position.at, position.identity, rows, unusable, new Date(now)],
  );
}
