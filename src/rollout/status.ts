/** What operators see of the roll-outs of a policy. */
import type pg from 'pg';
import { isUnderWay, queryRollout } from './decisions.js';
import { type RolloutRow, readRollouts } from './rollouts-table.js';
import type { RolloutPlaceOfWork } from './start.js';

/** PostgreSQL has the state; for the one under way, the workflow has the counts of this moment and the phase. */
export interface RolloutStatus extends RolloutRow {
  readonly phase?: string;
}

/** @returns the roll-outs of a policy, the latest version first */
export async function rolloutStatus(
  pool: pg.Pool,
  system: RolloutPlaceOfWork,
  policyId: string,
): Promise<RolloutStatus[]> {
  const rows = await readRollouts(pool, policyId);
  const [latest] = rows;
  const progress =
    latest !== undefined && isUnderWay(latest) ? await queryRollout(system, policyId) : undefined;
  return rows.map((row) =>
    progress?.version === row.version ? { ...row, ...progress.counts, phase: progress.place.phase } : row,
  );
}
