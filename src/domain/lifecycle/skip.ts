/** What skipping a parked step means (docs/holds-and-parked.md). Pure. */
import type { Plan } from '../plan.js';
import { type RungName, rungNames } from '../rungs.js';
import type { FoundIdentity } from './assessment.js';
import { inactiveSince, postponementsOf, scheduleOf } from './clock.js';
import { withNotice } from './notice-transitions.js';
import type { Parked } from './parked.js';
import { withoutRung } from './rung-transitions.js';
import type { LifecycleState } from './state.js';
import { lookStep, returnStep } from './steps.js';
import { withoutParked } from './transitions.js';

const noticePrefix = 'notice:';

function rungNamed(name: string): RungName | undefined {
  return rungNames.find((rung) => rung === name);
}

/** @returns why the parked step can't be skipped, with the way out, or `undefined` */
export function unskippable(
  parked: Parked | undefined,
  identity: FoundIdentity | undefined,
): string | undefined {
  if (parked === undefined) return 'no step is parked';
  const { step } = parked;
  if (step === lookStep) {
    return "a look can't be skipped: without it nothing is known. Mend its cause and retry it, or apply another policy where the policy is the cause";
  }
  if (step === returnStep) {
    return "a return can't be skipped: the person would stay locked out. Mend its cause and retry it";
  }
  // guard: a deletion that had its effect is not skipped
  if (step === 'delete' && identity === undefined) {
    return 'the identity is gone already. Retry the step: it ends its tokens and leaves the tombstone';
  }
  // guard: a deactivation that had its effect is not skipped
  if (step === 'deactivate' && identity?.state === 'inactive') {
    return 'the identity is disabled already. Retry the step to finish it, or reactivate the identity';
  }
  const rung = rungNamed(step.replace(noticePrefix, ''));
  return rung === undefined ? `the step "${step}" can't be skipped. Retry it` : undefined;
}

/**
 * Skips the parked step. A rung is not carried out in this absence, and the ladder continues with the next
 * rung and its own notices. A skipped notice counts as undeliverable: never as notice of a deletion, and
 * tried again later where the rung waits for it.
 */
export function withParkedSkipped(state: LifecycleState, plan: Plan, now: number): LifecycleState {
  const step = state.parked?.step ?? '';
  const planned = plan.rungs.find(({ rung }) => rung === rungNamed(step.replace(noticePrefix, '')));
  if (planned === undefined) return withoutParked(state);
  const since = inactiveSince(state, planned);
  if (!step.startsWith(noticePrefix)) return withSkippedRung(state, planned.rung, since, now);
  const { notice } = scheduleOf(state, planned);
  if (notice === undefined) return withoutParked(state);
  const { rung } = planned;
  const { leadMs } = notice;
  const round = postponementsOf(state, planned).length;
  return withNotice(withoutParked(state), {
    rung,
    leadMs,
    outcome: 'skipped',
    at: now,
    inactiveSince: since,
    ...(round === 0 ? {} : { round }),
  });
}

/**
 * A parked rung is not to be carried out in this absence. Its begun work is forgotten: it leads to no stage.
 */
function withSkippedRung(
  state: LifecycleState,
  rung: RungName,
  inactiveSince: number,
  now: number,
): LifecycleState {
  const skips = { ...state.skips, [rung]: { at: now, inactiveSince } };
  return { ...withoutRung(withoutParked(state), rung), skips };
}
