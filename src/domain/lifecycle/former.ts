/**
 * A lifecycle that was lost and started again continues from its last projection, so that
 * nothing comes earlier or twice. Pure.
 */
import type { Plan } from '../plan.js';
import type { RungName, Stage } from '../rungs.js';
import { type LatestSigns, mergeSigns } from '../sign-of-life.js';
import type { NoticeRecord } from './notice-record.js';
import type { LifecycleState, RungRecord, Skip } from './state.js';

/** What a projection keeps of a lifecycle's memory. Times in epoch milliseconds. */
export interface Former {
  readonly stage: Stage;
  readonly since: number;
  readonly lastActiveAt: number;
  readonly activity: LatestSigns;
  readonly notices: readonly NoticeRecord[];
  readonly completed: Readonly<Partial<Record<RungName, number>>>;
  readonly skipped?: Readonly<Partial<Record<RungName, number>>>;
}

/** @param standing as it was projected */
export function formerOf(standing: Former): Former {
  const { stage, since, lastActiveAt, activity, notices, completed, skipped } = standing;
  return { stage, since, lastActiveAt, activity, notices, completed, ...(skipped && { skipped }) };
}

/** @param plan gives the threshold of each rung, which the projection does not keep */
export function withFormer(state: LifecycleState, former: Former, plan: Plan, now: number): LifecycleState {
  const { lastActiveAt, completed, notices, skipped = {} } = former;
  const rungs: Partial<Record<RungName, RungRecord>> = {};
  for (const [rung, completedAt] of Object.entries(completed) as [RungName, number][]) {
    const afterMs = plan.rungs.find((planned) => planned.rung === rung)?.afterMs ?? 0;
    rungs[rung] = { begunAt: completedAt, completedAt, inactiveSince: lastActiveAt, afterMs };
  }
  const skips: Partial<Record<RungName, Skip>> = {};
  for (const [rung, at] of Object.entries(skipped) as [RungName, number][]) {
    skips[rung] = { at, inactiveSince: lastActiveAt };
  }
  return {
    ...state,
    rungs,
    notices,
    stageSince: former.since,
    baselineAt: Math.max(state.baselineAt, lastActiveAt),
    activity: mergeSigns(state.activity, former.activity, now),
    ...(Object.keys(skips).length > 0 && { skips }),
  };
}
