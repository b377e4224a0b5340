/**
 * The ladder's decision: from the memory, the latest look and the time, the one thing to do next.
 * Pure; the workflow carries it out.
 */

import { dayMs } from '../duration.js';
import { given } from '../given.js';
import type { Plan, PlanRung } from '../plan.js';
import { type RungName, rungNames, stageOfRung } from '../rungs.js';
import { absenceRulesOf, absentLookAt, burialAt, type Missing } from './absence.js';
import type { FoundIdentity } from './assessment.js';
import { inactiveSince, scheduleOf, skipOf } from './clock.js';
import type { Hold } from './holds.js';
import { governingHold } from './holds.js';
import { begunRungs, type Return, unjustified } from './justification.js';
import type { Blocked, NextStep } from './next-step.js';
import { runningNotices } from './notice-transitions.js';
import {
  breakerObstacle,
  disabledObstacle,
  exemptObstacle,
  holdObstacle,
  lostWarningObstacle,
  missingObstacle,
  noNoticeObstacle,
  parkedObstacle,
} from './obstacles.js';
import { pauseAfter } from './pause.js';
import type { LifecycleState } from './state.js';
import { buryStep, lookStep, returnStep } from './steps.js';

export type Decision =
  /** Kratos never knew the identity, or an older history took it for gone. */
  | { readonly kind: 'gone' }
  /** The identity was missing for long enough: what is known of it is to be forgotten. */
  | { readonly kind: 'bury'; readonly missing: Missing }
  /** The deletion is done. */
  | { readonly kind: 'finished' }
  | ({ readonly kind: 'return' } & Return)
  /** Send the notice; `rungAt` is the date that it announces. */
  | { readonly kind: 'notice'; readonly rung: PlanRung; readonly leadMs: number; readonly rungAt: number }
  | { readonly kind: 'rung'; readonly rung: PlanRung }
  /** Nothing to do before `until`. Without `until`: nothing to do before an operator decides. */
  | { readonly kind: 'wait'; readonly until?: number; readonly next?: NextStep; readonly blocked?: Blocked };

export interface Situation {
  readonly state: LifecycleState;
  readonly plan: Plan;
  /** Absent: not in Kratos. */
  readonly identity: FoundIdentity | undefined;
  readonly now: number;
}

/** How often an identity with a running notice is looked at: addresses may change, and mails bounce. */
const longestNoticedWaitMs = dayMs;

/** @returns the one thing to do next */
export function decide(situation: Situation): Decision {
  const decision = decideNext(situation);
  if (decision.kind !== 'wait' || decision.until === undefined) return decision;
  const latest = situation.now + longestNoticedWaitMs;
  if (decision.until <= latest || runningNotices(situation.state).length === 0) return decision;
  // guard: while a notice runs it is looked at each day
  return { ...decision, until: latest };
}

/**
 * When the lifecycle wakes for a look, whatever it waits for. A deactivated identity is looked at as often as
 * a block is checked, also on hold and while a step is parked: an admin who enables it in Kratos sends no
 * message, and the person is denied tokens until the look.
 * @param until when the next step is due; absent: when an operator decides
 * @returns epoch milliseconds; absent: the lifecycle sleeps until a message wakes it
 */
export function wakesAt({ state, plan, now }: Situation, until: number | undefined): number | undefined {
  const isDeactivated = state.rungs.deactivate?.completedAt !== undefined;
  // guard: somebody deactivated is looked at as often as what blocks
  if (!isDeactivated || state.parked?.step === lookStep) return until;
  return Math.min(until ?? Number.POSITIVE_INFINITY, now + plan.recheckMs);
}

function decideNext(situation: Situation): Decision {
  const { state, plan, identity, now } = situation;
  if (state.rungs.delete?.completedAt !== undefined) return { kind: 'finished' };
  if (state.parked?.step === lookStep) return parkedWait(state);
  if (identity === undefined) return withoutIdentity(situation);
  const parkedReturn = state.parked?.step === returnStep;
  const back = parkedReturn ? undefined : returnOf(situation, identity);
  if (back !== undefined) return { kind: 'return', ...back };
  const blocked = blockedBy(situation, identity);
  if (blocked !== undefined) return blocked;
  const rung = pendingRung(state, plan);
  // At the end of the ladder an admin may still enable the identity in Kratos, which sends no message.
  if (rung === undefined) return { kind: 'wait', until: now + plan.recheckMs };
  // guard: a half-done deactivation is finished
  if (isHalfDeactivated(rung, state, identity)) return { kind: 'rung', rung };
  return towards(situation, rung, now);
}

/**
 * A deactivation that already had its effect is finished, not announced again. Otherwise the person would be
 * locked out without the stage that says so, and without the way back that the stage opens.
 */
function isHalfDeactivated(rung: PlanRung, state: LifecycleState, identity: FoundIdentity): boolean {
  const begun = rung.rung === 'deactivate' && state.rungs.deactivate !== undefined;
  return begun && identity.state === 'inactive' && identity.disabledByEngine;
}

/** A deletion that was begun is finished although the identity is gone: that was its purpose. */
function withoutIdentity(situation: Situation): Decision {
  const { state, plan } = situation;
  const deletion = plan.rungs.find(({ rung }) => rung === 'delete');
  if (state.rungs.delete !== undefined && deletion !== undefined) {
    return state.parked === undefined ? { kind: 'rung', rung: deletion } : parkedWait(state);
  }
  return state.missing === undefined ? { kind: 'gone' } : withMissing(situation, state.missing);
}

/** Nothing is forgotten before the absence is certain and the grace is over, nor while a hold is in force. */
function withMissing({ state, plan, now }: Situation, missing: Missing): Decision {
  const rules = absenceRulesOf(plan);
  const at = burialAt(missing, rules);
  const next: NextStep | undefined = at === undefined ? undefined : { step: 'rung', rung: 'bury', at };
  const until = absentLookAt(missing, rules, plan.recheckMs, now);
  const blocked = missingObstacle(missing, plan, now);
  if (blocked !== undefined) return { kind: 'wait', until, ...(next && { next }), blocked };
  if (state.parked?.step === buryStep) return parkedWait(state);
  const hold = governingHold(state, now);
  // guard: absence: a hold stops a burial
  if (hold !== undefined) return waitForHold(hold);
  return heldByBreaker(state, plan, 'bury', now) ?? { kind: 'bury', missing };
}

function returnOf({ state, plan, now }: Situation, identity: FoundIdentity): Return | undefined {
  if (state.reactivation !== undefined) {
    const cause = state.reactivation.selfService === true ? 'self-service' : 'operator';
    return { cause, undo: begunRungs(state) };
  }
  const deactivated = state.rungs.deactivate?.completedAt !== undefined;
  if (deactivated && identity.state === 'active')
    return { cause: 'admin-in-kratos', undo: begunRungs(state) };
  // An identity that an admin disabled stays disabled: the engine does not enable it (invariant 5).
  // guard: disabled by hand: never enabled by the engine
  if (identity.state === 'inactive' && !identity.disabledByEngine) return undefined;
  return unjustified(state, plan, now);
}

function blockedBy(situation: Situation, identity: FoundIdentity): Decision | undefined {
  const { state, plan, now } = situation;
  // guard: parked: no rung until somebody decides
  if (state.parked !== undefined) return parkedWait(state);
  // guard: exempt: no rung
  // guard: disabled by hand: no rung
  const blocked = disabledObstacle(identity) ?? exemptObstacle(plan);
  if (blocked !== undefined) return { kind: 'wait', until: now + plan.recheckMs, blocked };
  const hold = governingHold(state, now);
  // guard: on hold: no rung
  return hold === undefined ? undefined : waitForHold(hold);
}

function waitForHold(hold: Hold): Decision {
  return { kind: 'wait', until: hold.until, blocked: holdObstacle(hold) };
}

function parkedWait(state: LifecycleState): Decision {
  return { kind: 'wait', blocked: parkedObstacle(state) };
}

/**
 * The next rung above the harshest stage reached. `winback` is a mail and leads to no stage: where an
 * override puts it ahead of a harsher rung, the harsher rung still follows.
 */
export function pendingRung(state: LifecycleState, plan: Plan): PlanRung | undefined {
  const isDone = (rung: RungName): boolean => state.rungs[rung]?.completedAt !== undefined;
  const reached = rungNames.filter((rung) => stageOfRung[rung] !== undefined && isDone(rung));
  const harshest = Math.max(-1, ...reached.map((rung) => rungNames.indexOf(rung)));
  return plan.rungs.find(
    (planned) =>
      !isDone(planned.rung) &&
      rungNames.indexOf(planned.rung) > harshest &&
      skipOf(state, planned.rung, inactiveSince(state, planned)) === undefined,
  );
}

/**
 * How often a lifecycle that waits for the breaker asks again. A release wakes it, so this is only for a
 * lifecycle that the release missed. A daily look also finds changed addresses and bounces, which a
 * running notice needs in any case.
 */
const longestBreakerWaitMs = dayMs;

/**
 * @param askedAt epoch milliseconds.
 * @returns when the breaker is asked again if no message wakes the lifecycle before
 */
export function breakerAskedAgainAt(askedAt: number, { recheckMs }: Pick<Plan, 'recheckMs'>): number {
  return askedAt + Math.min(recheckMs, longestBreakerWaitMs);
}

function heldByBreaker(
  state: LifecycleState,
  plan: Plan,
  rung: RungName | 'bury',
  now: number,
): Decision | undefined {
  const held = breakerObstacle(state, plan, rung, now);
  if (held === undefined) return undefined;
  const { blocked, until } = held;
  return { kind: 'wait', until, next: { step: 'rung', rung, at: until }, blocked };
}

function towards({ state, plan }: Situation, rung: PlanRung, now: number): Decision {
  const schedule = scheduleOf(state, rung);
  const { notice } = schedule;
  if (notice === undefined) {
    // guard: what the breaker holds waits
    if (now >= schedule.dueAt) return heldByBreaker(state, plan, rung.rung, now) ?? { kind: 'rung', rung };
    return {
      kind: 'wait',
      until: schedule.dueAt,
      next: { step: 'rung', rung: rung.rung, at: schedule.dueAt },
      ...given({ blocked: lostWarningObstacle(state, rung, now) }),
    };
  }
  const againAt =
    notice.failedAt === undefined
      ? notice.dueAt
      : notice.failedAt + pauseAfter(notice.failures ?? 0, plan.recheckMs);
  if (now >= againAt) {
    const rungAt = Math.max(schedule.dueAt, now + notice.floorMs);
    return { kind: 'notice', rung, leadMs: notice.leadMs, rungAt };
  }
  const next: NextStep = { step: 'notice', rung: rung.rung, at: againAt };
  if (notice.failedAt === undefined) return { kind: 'wait', until: againAt, next };
  return { kind: 'wait', until: againAt, next, blocked: noNoticeObstacle(rung.rung, notice.failedAt) };
}
