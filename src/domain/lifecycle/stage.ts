/** The stage of a lifecycle, derived from its memory. Pure. */
import { rungNames, type Stage, stageOfRung } from '../rungs.js';
import type { LifecycleState } from './state.js';

/** The stage that the completed rungs lead to. */
export function stageOf(state: LifecycleState): Stage {
  const reached = rungNames.flatMap((rung): Stage[] => {
    const stage = stageOfRung[rung];
    return state.rungs[rung]?.completedAt !== undefined && stage !== undefined ? [stage] : [];
  });
  return reached.at(-1) ?? 'active';
}

/**
 * Whether a sign of life would change more than the clock: a rung or notice was done
 * or begun, or a step is parked.
 */
export function offTheBottom(state: LifecycleState): boolean {
  const announced = state.notices.some((notice) => notice.void === undefined);
  return Object.keys(state.rungs).length > 0 || announced || state.parked !== undefined;
}
