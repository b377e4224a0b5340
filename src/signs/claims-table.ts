/**
 * Records signs of life and returns, in the same statement, the identities whose workflow must be told now.
 * Each of these is a claim. It stays open in PostgreSQL until the workflow was told: when a process dies,
 * another takes its claims over.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { SignKind } from '../domain/sign-of-life.js';
import type { IdentitySign } from './identity-sign.js';
import { latestSigns, signColumns, upsertSigns } from './signs-table.js';

/** The rule, over `standing` and `activity_signal AS told`; the fifth parameter is now. */
// guard: at the bottom the workflow hears once in a window
// guard: off the bottom the workflow hears at once
const mustHear = `
  (standing.identity_id IS NULL OR standing.off_bottom OR told.signalled_at IS NULL
    OR told.signalled_at <= $5::timestamptz - standing.signal_window_ms * interval '1 millisecond')`;

/**
 * SQL: opens a claim for `identity_id` of `source`, where `condition` holds. For a statement after which
 * already recorded signs become urgent.
 */
export const openClaim = (source: string, condition: string): string => `
  INSERT INTO activity_signal AS told (identity_id, signalled_at, open_claim, open_since)
    SELECT identity_id, '-infinity', gen_random_uuid(), now() FROM ${source} WHERE ${condition}
  ON CONFLICT (identity_id) DO UPDATE SET open_claim = EXCLUDED.open_claim, open_since = EXCLUDED.open_since`;

/** An identity whose workflow one process has to tell. */
export interface Claim {
  readonly id: string;
  readonly identityIds: readonly string[];
}

/**
 * Records a batch in one statement (a time already exceeded changes nothing, so late, duplicate and
 * out-of-order reports are harmless), and claims the signals that are due: for identities that have no
 * lifecycle yet, that are off the bottom of the ladder, or whose workflow was last told longer than its
 * window ago. A sign that moves no time forward claims nothing.
 *
 * @param now epoch milliseconds
 * @returns the identities whose workflow must be told; each claim is open until {@link closeClaim}
 */
export async function recordAndClaim(
  pool: pg.Pool,
  signs: readonly IdentitySign[],
  now: number,
): Promise<Claim> {
  const id = randomUUID();
  if (signs.length === 0) return { id, identityIds: [] };
  const rows = latestSigns(signs);
  const claimed = await pool.query<{ identity_id: string }>(
    `WITH stored AS (
       ${upsertSigns}
       RETURNING identity_id
     ), due AS (
       SELECT DISTINCT stored.identity_id
       FROM stored
       LEFT JOIN standing USING (identity_id)
       LEFT JOIN activity_signal AS told USING (identity_id)
       WHERE ${mustHear}
       ORDER BY stored.identity_id
     )
     INSERT INTO activity_signal (identity_id, signalled_at, open_claim, open_since)
       SELECT identity_id, $5, $6, now() FROM due
     ON CONFLICT (identity_id) DO UPDATE SET signalled_at = EXCLUDED.signalled_at,
       open_claim = EXCLUDED.open_claim, open_since = EXCLUDED.open_since
     RETURNING identity_id`,
    [...signColumns(rows), new Date(now), id],
  );
  return { id, identityIds: claimed.rows.map((row) => row.identity_id) };
}

/**
 * Closes a claim after the workflow was told. A claim opened again meanwhile, for a newer sign, stays open.
 */
export async function closeClaim(pool: pg.Pool, claimId: string, identityId: string): Promise<void> {
  await pool.query(
    `UPDATE activity_signal SET open_claim = NULL, open_since = NULL
     WHERE identity_id = $1 AND open_claim = $2`,
    [identityId, claimId],
  );
}

export interface TakenOver extends Claim {
  /** Signs that the projection does not show yet. An identity without any here was already told. */
  readonly signs: readonly IdentitySign[];
}

/**
 * Takes over claims that have been open for longer than `graceMs`, the oldest first. Each goes to one caller
 * only. A claim that stays open is taken over again after the same time.
 */
export async function takeOverClaims(pool: pg.Pool, graceMs: number, atMost: number): Promise<TakenOver> {
  const id = randomUUID();
  const found = await pool.query<{
    identity_id: string;
    kind: SignKind | null;
    last_active_at: Date;
    source: string;
  }>(
    // SKIP LOCKED: several workers share the work without waiting for each other's locks.
    `WITH stale AS (
       SELECT identity_id FROM activity_signal
       WHERE open_claim IS NOT NULL AND open_since <= now() - $1 * interval '1 millisecond'
       ORDER BY open_since LIMIT $2 FOR UPDATE SKIP LOCKED
     ), taken AS (
       UPDATE activity_signal AS mine SET open_claim = $3, open_since = now()
       FROM stale WHERE mine.identity_id = stale.identity_id
       RETURNING mine.identity_id
     )
     SELECT taken.identity_id, missed.kind, missed.last_active_at, missed.source
     FROM taken LEFT JOIN LATERAL (
       SELECT known.* FROM identity_activity AS known LEFT JOIN standing USING (identity_id)
       WHERE known.identity_id = taken.identity_id AND extract(epoch FROM known.last_active_at) * 1000
         > coalesce((standing.document -> 'activity' ->> known.kind)::numeric, 0)
     ) AS missed ON true`,
    [graceMs, atMost, id],
  );
  const signs = found.rows.flatMap(({ identity_id: identityId, kind, last_active_at: at, source }) =>
    kind === null ? [] : [{ identityId, kind, at: at.getTime(), source }],
  );
  return { id, identityIds: [...new Set(found.rows.map((row) => row.identity_id))], signs };
}

/**
 * The identities whose workflow must be told of these signs: the rule of `recordAndClaim`, applied
 * before anything is recorded. A crash between telling and recording then repeats a harmless signal,
 * where the other order would lose one.
 */
export async function whoMustHear(
  pool: pg.Pool,
  signs: readonly IdentitySign[],
  now: number,
): Promise<string[]> {
  const found = await pool.query<{ identity_id: string }>(
    `SELECT DISTINCT sign.identity_id
     FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[]) AS sign (identity_id, kind, at, source)
     LEFT JOIN identity_activity AS known USING (identity_id, kind)
     LEFT JOIN standing USING (identity_id)
     LEFT JOIN activity_signal AS told USING (identity_id)
     WHERE (known.last_active_at IS NULL OR known.last_active_at < sign.at)
       AND ${mustHear}`,
    [...signColumns(signs), new Date(now)],
  );
  return found.rows.map((row) => row.identity_id);
}
