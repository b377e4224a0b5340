/** Table `standing`: the projection of each lifecycle that apps, operators and reports read. */
import type pg from 'pg';
import { storable } from '../domain/free-text.js';
import type { DatedStanding } from '../domain/links.js';
import type { Standing } from '../domain/standing.js';
import { openClaim } from '../signs/claims-table.js';

/**
 * Writes the projection. One that is older than the stored one is dropped.
 *
 * The first projection that is off the bottom also opens a claim. It covers a sign of life that came
 * after the lifecycle's last look and was recorded while the stored projection was still at the bottom:
 * no workflow was told of it. The process that takes the claim over (see `takeOverClaims`) finds the
 * sign, which is committed by then.
 */
export async function writeStanding(pool: pg.Pool, standing: Standing, revision: number): Promise<void> {
  const { next } = standing;
  await pool.query(
    // guard: a late attempt does not overwrite a newer standing
    `WITH before AS (
       SELECT identity_id, off_bottom FROM standing WHERE identity_id = $1
     ), claimed AS (
       ${openClaim('before', '$13 AND NOT before.off_bottom')}
     )
     INSERT INTO standing AS known (identity_id, stage, stage_since, last_active_at, policy_id, policy_version,
       next_step, next_at, blocked_by, document, revision, updated_at, off_bottom, signal_window_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     ON CONFLICT (identity_id) DO UPDATE SET stage = EXCLUDED.stage, stage_since = EXCLUDED.stage_since,
       last_active_at = EXCLUDED.last_active_at, policy_id = EXCLUDED.policy_id,
       policy_version = EXCLUDED.policy_version, next_step = EXCLUDED.next_step, next_at = EXCLUDED.next_at,
       blocked_by = EXCLUDED.blocked_by, document = EXCLUDED.document, revision = EXCLUDED.revision,
       updated_at = EXCLUDED.updated_at, off_bottom = EXCLUDED.off_bottom,
       signal_window_ms = EXCLUDED.signal_window_ms
     WHERE known.revision <= EXCLUDED.revision`,
    [
      standing.identityId,
      standing.stage,
      new Date(standing.since),
      new Date(standing.lastActiveAt),
      standing.policy?.id ?? null,
      standing.policy?.version ?? null,
      next === undefined ? null : next.step === 'notice' ? `notice:${next.rung}` : next.rung,
      next === undefined ? null : new Date(next.at),
      standing.blocked?.by ?? null,
      JSON.stringify(storable(standing)),
      revision,
      new Date(revision),
      standing.offBottom,
      standing.signalWindowMs,
    ],
  );
}

/** @returns the last projection, or `undefined` for an identity that was never enrolled */
export async function readStanding(pool: pg.Pool, identityId: string): Promise<Standing | undefined> {
  const found = await pool.query<{ document: Standing }>(
    'SELECT document FROM standing WHERE identity_id = $1',
    [identityId],
  );
  return found.rows[0]?.document;
}

/** @returns the revision of the last projection, or `undefined` where there is none */
export async function readRevision(pool: pg.Pool, identityId: string): Promise<number | undefined> {
  const found = await pool.query<{ revision: string }>(
    'SELECT revision FROM standing WHERE identity_id = $1',
    [identityId],
  );
  const row = found.rows[0];
  return row === undefined ? undefined : Number(row.revision);
}

/** The same, with the time at which it was recorded. */
export async function readDatedStanding(
  pool: pg.Pool,
  identityId: string,
): Promise<DatedStanding | undefined> {
  const found = await pool.query<{ document: Standing; revision: string }>(
    'SELECT document, revision FROM standing WHERE identity_id = $1',
    [identityId],
  );
  const row = found.rows[0];
  return row === undefined ? undefined : { standing: row.document, recordedAt: Number(row.revision) };
}

/**
 * One page of the lifecycles that follow a policy and have not ended, by identity.
 * @param after the last identity of the page before. Absent: the first page
 */
export async function readStandingsUnder(
  pool: pg.Pool,
  policyId: string,
  { after, rows }: { readonly after?: string; readonly rows: number },
): Promise<Standing[]> {
  const found = await pool.query<{ document: Standing }>(
    `SELECT document FROM standing
     WHERE policy_id = $1 AND stage <> 'deleted' AND ($2::uuid IS NULL OR identity_id > $2)
     ORDER BY identity_id LIMIT $3`,
    [policyId, after ?? null, rows],
  );
  return found.rows.map(({ document }) => document);
}

/** @returns how many lifecycles {@link readStandingsUnder} reads */
export async function countStandingsUnder(pool: pg.Pool, policyId: string): Promise<number> {
  const found = await pool.query<{ count: string }>(
    "SELECT count(*) FROM standing WHERE policy_id = $1 AND stage <> 'deleted'",
    [policyId],
  );
  return Number(found.rows[0]?.count ?? 0);
}
