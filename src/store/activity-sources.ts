/** Table `activity_source`: how far each source of activity has been read. */
import type pg from 'pg';
import type { IdentitySign } from './user-activity.js';

/** Between two rows of a source, which are ordered by time and, at the same time, by identity. */
export interface SourcePosition {
  /** Timestamp in PostgreSQL's ISO form, to the microsecond: a JavaScript Date would lose the last three digits. */
  readonly at: string;
  /** UUID, or empty for "before every identity". */
  readonly identity: string;
}

/** Where a poll stands that another attempt goes on with. */
export interface PollPlace {
  readonly position: SourcePosition;
  /** When the poll began, epoch milliseconds. */
  readonly startedAt: number;
}

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
 * @param definition hash of what is read; where it differs from the last one, the position is forgotten
 * @returns where the last poll ended, as timestamp; `undefined` to start over
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

/** Moves the position on, never back: an attempt that Temporal gave up may still be at work. */
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

/**
 * Whose workflow has to hear of these signs: the same rule as `recordAndClaim`, asked before anything is recorded. So a
 * death between telling and recording repeats a harmless signal, where the other order would lose one.
 */
export async function whoMustHear(
  pool: pg.Pool,
  signs: readonly IdentitySign[],
  now: number,
): Promise<string[]> {
  const found = await pool.query<{ identity_id: string }>(
    `SELECT DISTINCT sign.identity_id
     FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS sign (identity_id, kind, at)
     LEFT JOIN identity_activity AS known USING (identity_id, kind)
     LEFT JOIN standing USING (identity_id)
     LEFT JOIN activity_signal AS told USING (identity_id)
     WHERE (known.last_active_at IS NULL OR known.last_active_at < sign.at)
       AND (standing.identity_id IS NULL OR standing.off_bottom OR told.signalled_at IS NULL
         OR told.signalled_at <= $4::timestamptz - standing.signal_window_ms * interval '1 millisecond')`,
    [
      signs.map((sign) => sign.identityId),
      signs.map((sign) => sign.kind),
      signs.map((sign) => new Date(sign.at)),
      new Date(now),
    ],
  );
  return found.rows.map((row) => row.identity_id);
}
