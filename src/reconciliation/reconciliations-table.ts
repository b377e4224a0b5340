/** Table `reconciliation`, and the reconciliation's queries on other tables. */
import type pg from 'pg';
import type { Standing } from '../domain/standing.js';
import { removeOld } from '../postgres/remove-old.js';

/** A buried identity's row is history. An identity that Kratos lists again starts anew. */
const livesOn = `stage <> 'deleted' AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = standing.identity_id)`;

/** @returns the given identities that have a lifecycle, as far as the projection knows */
export async function readEnrolled(pool: pg.Pool, identityIds: readonly string[]): Promise<Set<string>> {
  const found = await pool.query<{ identity_id: string }>(
    `SELECT identity_id FROM standing WHERE identity_id = ANY($1::uuid[]) AND ${livesOn}`,
    [identityIds],
  );
  return new Set(found.rows.map((row) => row.identity_id));
}

/** @returns the next identities with a lifecycle, in the order of their IDs */
export async function readEnrolledAfter(
  pool: pg.Pool,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  const found = await pool.query<{ identity_id: string }>(
    `SELECT identity_id FROM standing WHERE ($1::uuid IS NULL OR identity_id > $1) AND ${livesOn}
     ORDER BY identity_id LIMIT $2`,
    [after ?? null, limit],
  );
  return found.rows.map((row) => row.identity_id);
}

export interface ReconciliationRecord {
  readonly runId: string;
  readonly workflowId: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly counts: object;
}

/** Writes the results of a reconciliation. Safe to repeat. */
export async function writeReconciliation(pool: pg.Pool, record: ReconciliationRecord): Promise<void> {
  await pool.query(
    `INSERT INTO reconciliation (run_id, workflow_id, started_at, ended_at, counts) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (run_id) DO NOTHING`,
    [
      record.runId,
      record.workflowId,
      new Date(record.startedAt),
      new Date(record.endedAt),
      JSON.stringify(record.counts),
    ],
  );
}

/** Whether the identity has a lifecycle that has not ended, as far as the projection knows. */
export async function isEnrolled(pool: pg.Pool, identityId: string): Promise<boolean> {
  return (await readEnrolled(pool, [identityId])).has(identityId);
}

/** @returns the last projection of a lifecycle that has not ended */
export async function readLivingStanding(pool: pg.Pool, identityId: string): Promise<Standing | undefined> {
  const found = await pool.query<{ document: Standing }>(
    `SELECT document FROM standing WHERE identity_id = $1 AND ${livesOn}`,
    [identityId],
  );
  return found.rows[0]?.document;
}

/** Deletes the ones that ended before this time. @returns how many were deleted */
export function forgetOldReconciliations(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'reconciliation', 'ended_at < $1', before);
}
