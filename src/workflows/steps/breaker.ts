/** Asks the breaker before a destructive rung (design, invariant 7). */
import { workflowInfo } from '@temporalio/workflow';
import { inactiveSince } from '../../domain/lifecycle/clock.js';
import { withHeldByBreaker, withoutHeldByBreaker } from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import { isDestructive } from '../../domain/rungs.js';
import type { LifecycleRun } from '../lifecycle-run.js';

/** What was read before the breaker was asked is read again when its answer took longer than this. */
const staleAfterMs = 10_000;

/**
 * @returns whether the rung may be carried out now. Otherwise the main loop looks and decides again: the breaker holds it, or
 *   something changed while it was asked.
 */
export async function passBreaker(run: LifecycleRun, rung: PlanRung): Promise<boolean> {
  const { plan, state } = run;
  const { rung: action } = rung;
  if (!isDestructive(action) || plan.breaker === undefined || isUnderWay(run, rung)) return true;
  const askedAt = Date.now();
  const { identityId } = state;
  const since = inactiveSince(state, rung);
  const answer = await run.outside.ledger.passBreaker({
    // The same act in the same absence counts once, however often it is begun.
    key: `${identityId}/${workflowInfo().firstExecutionRunId}/${action}/${since}`,
    action,
    identityId,
    rules: plan.breaker,
    decidedAt: askedAt,
  });
  if (answer.outcome === 'held') {
    const { trip } = answer;
    const before = run.state.heldByBreaker;
    const isNew = before?.tripId !== trip.id || before.rung !== action;
    const heldSince = isNew ? askedAt : before.since;
    run.state = withHeldByBreaker(run.state, {
      rung: action,
      tripId: trip.id,
      why: trip.why,
      since: heldSince,
      askedAt: Date.now(),
    });
    if (isNew) {
      run.audit('held_by_breaker', `${action}/${trip.id}/${since}`, trip.cause, {
        detail: { rung: action, tripId: trip.id },
      });
    }
    return false;
  }
  run.state = withoutHeldByBreaker(run.state);
  if (Date.now() - askedAt > staleAfterMs) return false;
  const again = run.decide();
  return again.kind === 'rung' && again.rung.rung === action;
}

/** What has had its effect already is finished: stopping there would protect nobody. */
function isUnderWay(run: LifecycleRun, { rung }: PlanRung): boolean {
  if (run.state.rungs[rung] === undefined) return false;
  if (run.identity === undefined) return rung === 'delete';
  return rung === 'deactivate' && run.identity.state === 'inactive' && run.identity.disabledByEngine;
}
