/** What the first look would find an identity overdue for. Pure. */
import type { Assessment } from '../domain/lifecycle/assessment.js';
import { inactiveSince } from '../domain/lifecycle/clock.js';
import { initialState } from '../domain/lifecycle/state.js';
import { withAssessment } from '../domain/lifecycle/transitions.js';
import type { Preview, PreviewClass } from '../workflows/reconcile-messages.js';

/**
 * @param now epoch milliseconds
 * @returns the harshest rung whose time has passed; `undefined` for an identity that is gone. That a rung is overdue does
 *   not say that it comes at once: notices come first, and keep their distance
 */
export function classOf(identityId: string, assessment: Assessment, now: number): PreviewClass | undefined {
  const { identity, plan } = assessment;
  if (identity === undefined) return undefined;
  if (plan.exempt === 'not-understood') return 'not-understood';
  if (plan.exempt !== undefined) return 'exempt';
  if (identity.state === 'inactive' && !identity.disabledByEngine) return 'disabled-by-hand';
  const state = withAssessment(initialState(identityId, plan.policy, now), assessment, now);
  return plan.rungs.findLast((rung) => inactiveSince(state, rung) + rung.afterMs <= now)?.rung ?? 'nothing';
}

export function tally(preview: Preview, kind: PreviewClass): Preview {
  return { ...preview, [kind]: (preview[kind] ?? 0) + 1 };
}
