/** Which acts of the engine are no longer justified by the person's signs of life or by the policy. Pure. */
import type { Plan } from '../plan.js';
import { type RungName, rungNames } from '../rungs.js';
import { inactiveSince, inactiveSinceFor } from './clock.js';
import { offTheBottom } from './stage.js';
import type { LifecycleState, RungRecord } from './state.js';

/**
 * `activity`: a sign of life. `policy`: the ladder in force would not have acted yet. `exempt`: the ladder no
 * longer applies. `operator`: an operator's `reactivate`. `self-service`: the person's own, by a mail link.
 * `admin-in-kratos`: an admin enabled the identity.
 */
export type ReturnCause = 'activity' | 'policy' | 'exempt' | 'operator' | 'self-service' | 'admin-in-kratos';

export interface Return {
  readonly cause: ReturnCause;
  /** What is undone, harshest first. */
  readonly undo: readonly RungName[];
}

/** Every rung that was begun, harshest first. */
export function begunRungs(state: LifecycleState): RungName[] {
  return rungNames.filter((rung) => state.rungs[rung] !== undefined).reverse();
}

/**
 * The part of the ladder that must be undone. Only a sign of life from before the end of a completed
 * deactivation undoes the deactivation (it should not have happened). A later sign moves the deletion,
 * and the return takes an operator or a verified self-service path. While the deactivation stands, the
 * milder rungs below it stand too.
 */
export function unjustified(state: LifecycleState, plan: Plan, now: number): Return | undefined {
  const sinceFor = (rung: RungName) => inactiveSinceFor(state, plan, rung);
  const begun = begunRungs(state);
  const deactivation = state.rungs.deactivate;
  const deactivationStands =
    deactivation !== undefined && !isRefutedDeactivation(deactivation, sinceFor('deactivate'));
  if (deactivationStands && deactivation.completedAt !== undefined) return undefined;
  const bySigns = begun.filter((rung) => {
    const record = state.rungs[rung];
    return record !== undefined && refuted(record, sinceFor(rung));
  });
  if (!deactivationStands && (bySigns.length > 0 || hasOutdated(state, plan))) {
    return { cause: 'activity', undo: bySigns };
  }
  if (plan.exempt !== undefined && offTheBottom(state)) return { cause: 'exempt', undo: begun };
  const byPolicy = begun.filter((rung) => {
    const planned = plan.rungs.find((candidate) => candidate.rung === rung);
    return planned === undefined || now < sinceFor(rung) + planned.afterMs;
  });
  return byPolicy.length > 0 ? { cause: 'policy', undo: byPolicy } : undefined;
}

function isRefutedDeactivation(record: RungRecord, since: number): boolean {
  const lateEvidence = since <= (record.completedAt ?? Number.POSITIVE_INFINITY);
  return lateEvidence && refuted(record, since);
}

/**
 * Whether there was a sign of life at the bottom of the ladder after a notice, or after a step was parked.
 * There is nothing to undo, but neither may outlive the absence that it belongs to.
 */
function hasOutdated(state: LifecycleState, plan: Plan): boolean {
  if (begunRungs(state).length > 0) return false;
  const announced = state.notices.some(
    (notice) =>
      notice.void === undefined && notice.inactiveSince < inactiveSinceFor(state, plan, notice.rung),
  );
  return announced || (state.parked !== undefined && state.parked.since < inactiveSince(state, plan));
}

/**
 * Whether a sign of life learnt later shows that the inactivity was shorter than
 * the threshold when the act began.
 */
function refuted(record: RungRecord, since: number): boolean {
  // guard: late evidence undoes what should not have been
  return since > record.inactiveSince && record.begunAt < since + record.afterMs;
}
