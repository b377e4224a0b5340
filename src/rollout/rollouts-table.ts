/** Table `policy_rollout`: how far each version of a policy was taken to people. */
import type pg from 'pg';
import type { RolloutCounts, RolloutProgress } from '../workflows/rollout-messages.js';

export type RolloutState = 'waking' | 'paused' | 'done' | 'superseded' | 'cancelled';

/** @returns the state of a roll-out that has not been superseded */
export function stateOfRollout({ paused, place }: RolloutProgress): RolloutState {
  if (place.phase === 'done') return 'done';
  return paused === undefined ? 'waking' : 'paused';
}

/** Writes how far a roll-out is. Earlier versions that still were under way are superseded. */
export async function writeRollout(
  client: pg.Pool | pg.PoolClient,
  { policyId, version, startedAt, counts: { seen, earlier, woken, failed } }: RolloutProgress,
  state: RolloutState,
): Promise<void> {
  await client.query(
    `WITH superseded AS (
       UPDATE policy_rollout SET state = 'superseded', changed_at = now()
       WHERE policy_id = $1 AND version < $2 AND state IN ('waking', 'paused')
     )
     INSERT INTO policy_rollout AS known
       (policy_id, version, state, started_at, changed_at, seen, earlier, woken, failed)
     VALUES ($1, $2, $3, $4, now(), $5, $6, $7, $8)
     ON CONFLICT (policy_id, version) DO UPDATE SET state = EXCLUDED.state, started_at = EXCLUDED.started_at,
       changed_at = now(), seen = EXCLUDED.seen, earlier = EXCLUDED.earlier, woken = EXCLUDED.woken,
       failed = EXCLUDED.failed`,
    [policyId, version, state, new Date(startedAt), seen, earlier, woken, failed],
  );
}

export interface RolloutRow extends RolloutCounts {
  readonly policyId: string;
  readonly version: number;
  readonly state: RolloutState;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly changedAt: number;
}

/** @returns the roll-outs of a policy, the latest version first */
export async function readRollouts(pool: pg.Pool, policyId: string): Promise<RolloutRow[]> {
  const found = await pool.query<{
    version: number;
    state: RolloutState;
    started_at: Date;
    changed_at: Date;
    seen: number;
    earlier: number;
    woken: number;
    failed: number;
  }>(
    `SELECT version, state, started_at, changed_at, seen, earlier, woken, failed FROM policy_rollout
     WHERE policy_id = $1 ORDER BY version DESC LIMIT 50`,
    [policyId],
  );
  return found.rows.map(({ started_at, changed_at, ...row }) => ({
    policyId,
    ...row,
    startedAt: started_at.getTime(),
    changedAt: changed_at.getTime(),
  }));
}

/**
 * Policies whose latest version was not taken to people yet, or whose roll-out should run. A first version has nobody
 * who sleeps under an older one.
 */
export async function readDueRollouts(pool: pg.Pool): Promise<{ policyId: string; version: number }[]> {
  const found = await pool.query<{ id: string; version: number }>(
    `SELECT latest.id, latest.version
     FROM (SELECT id, max(version)::int AS version FROM policy GROUP BY id) AS latest
     LEFT JOIN policy_rollout AS rollout ON rollout.policy_id = latest.id AND rollout.version = latest.version
     WHERE latest.version > 1 AND COALESCE(rollout.state, 'waking') = 'waking'
     ORDER BY latest.id`,
  );
  return found.rows.map(({ id, version }) => ({ policyId: id, version }));
}
