/** Forgets an identity that was missing for long enough. Failure cases: docs/irreversible-steps.md. */

import type { Missing } from '../../domain/lifecycle/absence.js';
import { rememberedOf } from '../../domain/lifecycle/state.js';
import { buryStep } from '../../domain/lifecycle/steps.js';
import { carryOut } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { holdBack, passBreakerToBury } from './breaker.js';

/** @returns whether the identity is forgotten. Otherwise the main loop looks and decides again */
export async function bury(run: LifecycleRun, missing: Missing): Promise<boolean> {
  const { since } = missing;
  let isBuried = false;
  await carryOut(
    run,
    buryStep,
    async () => {
      const key = await passBreakerToBury(run, since);
      if (key === undefined) return;
      // Respects messages received while the breaker was asked, above all a hold.
      if (run.decide().kind !== 'bury') return run.outside.ledger.giveGrantBack({ key });
      // From here on no request is accepted that the burial would break.
      run.hasEnded = true;
      const { identityId, policy } = run.state;
      const end = await run.outside.kratos.buryMissing({
        identityId,
        missingSince: since,
        remembered: rememberedOf(run.state),
        ...(policy && { policy }),
        ...(run.plan.breaker && { granted: { key } }),
      });
      if (end.outcome === 'held' && end.trip !== undefined) {
        holdBack(run, { action: 'bury', inactiveSince: since }, end.trip, Date.now());
      }
      if (end.outcome === 'doubted') {
        const doubt = 'others are missing, too';
        run.state = { ...run.state, missing: { ...missing, doubt } };
      }
      isBuried = end.outcome === 'done';
    },
    { interruptible: false },
  );
  run.hasEnded = isBuried;
  return isBuried;
}
