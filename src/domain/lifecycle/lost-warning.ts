/** A warning that a mail server on the way did not carry is given anew, and the suspension waits for it. Pure. */
import { given } from '../given.js';
import type { Plan } from '../plan.js';
import type { RungName } from '../rungs.js';
import type { NoticeState } from './assessment.js';
import { inactiveSinceFor } from './clock.js';
import { pauseAfter } from './pause.js';
import { withoutRung } from './rung-transitions.js';
import { stageOf } from './stage.js';
import type { LifecycleState, LostWarning } from './state.js';

/** The name of the trouble that operators see: the person was suspended before the warning came back. */
export const suspendedUnwarned = 'suspended-without-warning';

/**
 * Applies the present state of the last warning. Where a server on the way sent it back before the suspension, it was
 * never given: the stage is `active` again, and the next warning waits longer each time. A warning that
 * came back because of the address stays given (docs/mail.md).
 */
export function withWarningState(
  state: LifecycleState,
  warning: NoticeState | undefined,
  plan: Plan,
  now: number,
): LifecycleState {
  const record = state.rungs.warn;
  // guard: a warning that a server on the way did not carry is given anew
  if (warning?.outcome !== 'relay-failed' || record === undefined || !isSuspensionAhead(state, plan)) {
    return state;
  }
  const inactiveSince = inactiveSinceFor(state, plan, 'warn');
  // The person was seen since: the return undoes the warning.
  if (inactiveSince > record.inactiveSince) return state;
  const before = state.lostWarning;
  const failures = before?.inactiveSince === inactiveSince ? (before.failures ?? 0) + 1 : undefined;
  const againAt = now + pauseAfter(failures ?? 0, plan.recheckMs);
  const lostWarning: LostWarning = { at: now, againAt, inactiveSince, ...given({ failures }) };
  const unwarned = { ...withoutRung(state, 'warn'), lostWarning };
  return stageOf(unwarned) === stageOf(state) ? unwarned : { ...unwarned, stageSince: now };
}

/** Only a suspension rests on the warning. Harsher rungs have notices of their own. */
function isSuspensionAhead({ rungs }: LifecycleState, plan: Plan): boolean {
  const isOnlyWarned = rungs.warn?.completedAt !== undefined && Object.keys(rungs).length === 1;
  const has = (name: RungName) => plan.rungs.some(({ rung }) => rung === name);
  // A policy that warns no longer undoes the warning: a return, with its audit entry.
  return isOnlyWarned && has('warn') && has('suspend');
}

/** Whether the person was suspended, and the warning of it is known not to have arrived. */
export function isSuspendedUnwarned({ rungs }: LifecycleState, warning: NoticeState | undefined): boolean {
  return rungs.suspend?.completedAt !== undefined && warning?.outcome === 'relay-failed';
}
