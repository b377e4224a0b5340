/** Table `standing`, as a roll-out reads it: who sleeps towards a step that an older version of the policy dated. */
import type pg from 'pg';
import type { Standing } from '../domain/standing.js';

export interface SleepersQuery {
  readonly policyId: string;
  /** Only standings that came about by a version before this one. */
  readonly before: number;
  /** Only identities after this one. */
  readonly after?: string;
  /** Only standings written since then, epoch milliseconds. */
  readonly since?: number;
  readonly limit: number;
}

/**
 * A lifecycle that waits for something else than the date of its next step looks again within the policy's `recheck`
 * anyhow, or waits for an operator. One whose notice failed is woken: its step may be due before the next attempt.
 * @returns standings in the order of their identities
 */
export async function readSleepers(
  pool: pg.Pool,
  { policyId, before, after, since, limit }: SleepersQuery,
): Promise<Standing[]> {
  const found = await pool.query<{ document: Standing }>(
    `SELECT document FROM standing
     WHERE policy_id = $1 AND policy_version < $2 AND next_at IS NOT NULL
       AND (blocked_by IS NULL OR blocked_by = 'no-notice')
       AND ($3::uuid IS NULL OR identity_id > $3) AND ($4::timestamptz IS NULL OR updated_at >= $4)
     ORDER BY identity_id LIMIT $5`,
    [policyId, before, after ?? null, since === undefined ? null : new Date(since), limit],
  );
  return found.rows.map(({ document }) => document);
}
