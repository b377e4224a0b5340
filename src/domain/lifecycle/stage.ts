/** The stage of a lifecycle, derived from its memory. Pure. */
import { rungNames, type Stage, stageOfRung } from '../rungs.js';
import type { LifecycleState } from './state.js';

/** The stage that the completed rungs lead to. */
export function stageOf(state: LifecycleState): Stage {
  let reached: Stage = 'active';
  for (const rung of rungNames) {
    const stage = stageOfRung[rung];
    if (stage !== undefined && state.rungs[rung]?.completedAt !== undefined) reached = stage;
  }
  return reached;
}

/**
 * Whether a sign of life would change more than the clock: a rung or notice was done
 * or begun, or a step is parked.
 */
export function offTheBottom(state: LifecycleState): boolean {
  const announced = state.notices.some((notice) => notice.void === undefined);
  return Object.keys(state.rungs).length > 0 || announced || state.parked !== undefined;
}
