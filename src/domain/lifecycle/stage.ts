/** Where a lifecycle stands, read off its memory. Pure. */
import { rungNames, type Stage, stageOfRung } from '../rungs.js';
import type { LifecycleState } from './state.js';

/** The stage that the completed rungs amount to. */
export function stageOf(state: LifecycleState): Stage {
  const reached = rungNames.flatMap((rung): Stage[] => {
    const stage = stageOfRung[rung];
    return state.rungs[rung]?.completedAt !== undefined && stage !== undefined ? [stage] : [];
  });
  return reached.at(-1) ?? 'active';
}

/** Whether a sign of life would change anything but the clock: something was done, begun, announced or parked. */
export function offTheBottom(state: LifecycleState): boolean {
  const announced = state.notices.some((notice) => notice.void === undefined);
  return Object.keys(state.rungs).length > 0 || announced || state.parked !== undefined;
}
