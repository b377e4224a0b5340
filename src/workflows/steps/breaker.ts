/** Asks the breaker before a destructive rung (docs/architecture.md, invariant 7). */
import { patched, workflowInfo } from '@temporalio/workflow';
import type { BreakerAction } from '../../domain/breaker/rules.js';
import type { Trip } from '../../domain/breaker/trip.js';
import { given } from '../../domain/given.js';
import { inactiveSince } from '../../domain/lifecycle/clock.js';
import { breakerAskedAgainAt } from '../../domain/lifecycle/decide.js';
import { withHeldByBreaker, withoutHeldByBreaker } from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import { isDestructive, type RungName } from '../../domain/rungs.js';
import type { LifecycleRun } from '../lifecycle-run.js';

/** Histories of older builds discarded an answer that took longer than this, and asked again. */
const formerlyStaleAfterMs = 10_000;
/**
 * After a longer wait the lifecycle looks once more before it acts, and keeps its grant. The last look,
 * inside the deed, reads signs of life, postponements, notices, exemptions and the breaker again. Only the
 * extra look sees a changed address, and a policy or role under which the rung comes later.
 */
const lookAgainAfterMs = 600_000;

/** The same act in the same absence counts once, however often it is begun. */
export function actKey(run: LifecycleRun, action: BreakerAction, since: number): string {
  return `${run.state.identityId}/${workflowInfo().firstExecutionRunId}/${action}/${since}`;
}

/**
 * @returns whether the rung may be carried out now. Otherwise the main loop looks and decides again: the
 * breaker holds the rung, or something changed meanwhile.
 */
export async function passBreaker(run: LifecycleRun, rung: PlanRung): Promise<boolean> {
  const { plan, state } = run;
  const { rung: action } = rung;
  if (!isDestructive(action) || plan.breaker === undefined || isUnderWay(run, rung)) return true;
  const askedAt = Date.now();
  const key = actKey(run, action, inactiveSince(state, rung));
  if (run.grant?.key === key && run.grant.isKept) {
    run.grant = { key };
    return true;
  }
  // The grant belongs to another absence or another rung.
  if (run.grant !== undefined && run.grant.key !== key && (await giveGrantBack(run))) return false;
  const answer = await run.outside.ledger.passBreaker({
    key,
    action,
    identityId: state.identityId,
    rules: plan.breaker,
    decidedAt: askedAt,
    // guard: breaker: who asks says what it wrote before
    ...given({ previous: run.writtenBefore }),
  });
  if (answer.outcome === 'held') {
    holdBack(run, { action, inactiveSince: inactiveSince(state, rung) }, answer.trip, askedAt);
    return false;
  }
  run.state = withoutHeldByBreaker(run.state);
  run.grant = { key };
  const waitedMs = Date.now() - askedAt;
  if (waitedMs > formerlyStaleAfterMs && !patched('grants-outlast-queues')) return false;
  // guard: breaker: a look after hours in the queue
  if (waitedMs > lookAgainAfterMs) {
    // guard: breaker: a grant outlasts the queue
    run.grant = { key, isKept: true };
    return false;
  }
  const again = run.decide();
  return again.kind === 'rung' && again.rung.rung === action;
}

/**
 * As {@link passBreaker}, for the burial of a missing identity.
 * @returns the key under which the breaker counts it; `undefined` where it is held
 */
export async function passBreakerToBury(run: LifecycleRun, since: number): Promise<string | undefined> {
  const { plan, state } = run;
  const key = actKey(run, 'bury', since);
  if (plan.breaker === undefined) return key;
  const askedAt = Date.now();
  const answer = await run.outside.ledger.passBreaker({
    key,
    action: 'bury',
    identityId: state.identityId,
    rules: plan.breaker,
    decidedAt: askedAt,
    ...given({ previous: run.writtenBefore }),
  });
  if (answer.outcome === 'held') {
    holdBack(run, { action: 'bury', inactiveSince: since }, answer.trip, askedAt);
    return undefined;
  }
  run.state = withoutHeldByBreaker(run.state);
  return key;
}

/** The act that is held back, and its absence. */
export interface HeldAct {
  readonly action: RungName | 'bury';
  readonly inactiveSince: number;
}

/** The breaker holds the rung. @param since when the breaker was asked, epoch milliseconds */
export function holdBack(
  run: LifecycleRun,
  { action, inactiveSince: absentSince }: HeldAct,
  trip: Trip,
  since: number,
): void {
  const before = run.state.heldByBreaker;
  const isNew = before?.tripId !== trip.id || before.rung !== action;
  const askedAt = Date.now();
  run.state = withHeldByBreaker(run.state, {
    rung: action,
    tripId: trip.id,
    why: trip.why,
    since: isNew ? since : before.since,
    askedAt,
    ...(patched('held-looks-daily') && { againAt: breakerAskedAgainAt(askedAt, run.plan) }),
  });
  if (!isNew) return;
  run.audit('held_by_breaker', `${action}/${trip.id}/${absentSince}`, trip.cause, {
    detail: { rung: action, tripId: trip.id },
  });
}

/** Returns a grant that is no longer needed. @returns whether that took a call, and so time */
export async function giveGrantBack(run: LifecycleRun): Promise<boolean> {
  const { grant } = run;
  if (grant === undefined) return false;
  run.grant = undefined;
  if (!patched('grants-are-given-back')) return false;
  await run.outside.ledger.giveGrantBack({ key: grant.key });
  return true;
}

/** An act that already had an effect is finished: stopping it would protect nobody. */
function isUnderWay(run: LifecycleRun, { rung }: PlanRung): boolean {
  if (run.state.rungs[rung] === undefined) return false;
  if (run.identity === undefined) return rung === 'delete';
  // guard: breaker: also on a retry by hand
  return rung === 'deactivate' && run.identity.state === 'inactive' && run.identity.disabledByEngine;
}
