/** Requests that people make by links in mails, as far as the main loop carries them out. */
import { postponementsOf } from '../../domain/lifecycle/clock.js';
import { withLinkRequest, withoutReactivation } from '../../domain/lifecycle/transitions.js';
import { selfServiceActor } from '../../domain/names.js';
import type { Postponement } from '../../domain/postponement.js';
import { carryOut } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { tellAfterwards } from './mails.js';

/** Applies the requests that the last look found. Call it after each look. */
export function heedPeople(run: LifecycleRun, known: readonly Postponement[]): void {
  auditPostponements(run, known);
  // The request was accepted by what was known then. An admin or the policy may have changed that since.
  if (run.state.reactivation?.selfService === true && !mayReactivate(run)) {
    run.state = withoutReactivation(run.state);
  }
}

function auditPostponements(run: LifecycleRun, known: readonly Postponement[]): void {
  const isNew = (one: Postponement) =>
    !known.some(
      ({ rung, inactiveSince, round }) =>
        rung === one.rung && inactiveSince === one.inactiveSince && round === one.round,
    );
  for (const rung of run.plan.rungs) {
    for (const one of postponementsOf(run.state, rung).filter(isNew)) {
      run.audit('rung_postponed', `${one.rung}/${one.inactiveSince}/${one.round}`, 'done', {
        actor: selfServiceActor,
        detail: { rung: one.rung, round: one.round, until: one.untilAt, confirmedAt: one.confirmedAt },
      });
    }
  }
}

/**
 * Whether the engine certainly deactivated the identity, nothing was decided about it since, and the
 * policy lets the person return.
 */
export function mayReactivate(run: LifecycleRun): boolean {
  return lifetimeOf(run) !== undefined;
}

function lifetimeOf({ state, plan, identity }: LifecycleRun): number | undefined {
  if (state.rungs.deactivate?.completedAt === undefined || state.rungs.delete?.completedAt !== undefined) {
    return undefined;
  }
  if (identity?.state !== 'inactive' || !identity.disabledByEngine) return undefined;
  // guard: a disablement that nobody saw made opens no self-service return
  if (identity.disablementUnconfirmed === true) return undefined;
  return plan.selfReactivation?.linkLifetimeMs;
}

/** Sends the requested reactivation link, where it is still allowed after the look. */
export async function sendReactivationLink(run: LifecycleRun): Promise<void> {
  const { linkRequest, stageSince } = run.state;
  if (linkRequest?.isPending !== true) return;
  run.state = withLinkRequest(run.state, { ...linkRequest, isPending: false });
  const lifetimeMs = lifetimeOf(run);
  if (lifetimeMs === undefined) return;
  const key = `reactivation/${linkRequest.at}`;
  const links = { reactivate: { deactivatedAt: stageSince, lifetimeMs } };
  let outcome = 'not-sent';
  await carryOut(
    run,
    'mail:reactivation',
    async () => {
      outcome = await tellAfterwards(run, 'reactivation', key, links);
    },
    { interruptible: true },
  );
  run.audit('reactivation_requested', `${linkRequest.at}`, outcome, { actor: selfServiceActor });
}
