/** What the first look would find an identity overdue for, and when its first mail would be sent. Pure. */
import { dayMs } from '../domain/duration.js';
import type { Assessment } from '../domain/lifecycle/assessment.js';
import { inactiveSince } from '../domain/lifecycle/clock.js';
import { decide } from '../domain/lifecycle/decide.js';
import { initialState, type LifecycleState } from '../domain/lifecycle/state.js';
import { withAssessment } from '../domain/lifecycle/transitions.js';
import { forecastDays, type PreviewClass, type SweepPosition } from '../workflows/reconcile-messages.js';

export type Forecast = Pick<SweepPosition, 'preview' | 'mails'>;

/** @param now epoch milliseconds */
export function withForecast(
  { preview, mails }: Forecast,
  identityId: string,
  assessment: Assessment,
  now: number,
): Forecast {
  const { plan, addresses } = assessment;
  const state = withAssessment(initialState(identityId, plan.policy, now), assessment, now);
  const kind = classOf(state, assessment, now);
  const day = firstMailDay(state, assessment, now);
  const next = { preview: { ...preview, [kind]: (preview[kind] ?? 0) + 1 }, ...(mails && { mails }) };
  if (day === undefined || addresses === undefined) return next;
  const known = mails?.[day] ?? { verified: 0, unverified: 0 };
  const counted = {
    verified: known.verified + addresses.verified,
    unverified: known.unverified + addresses.unverified,
  };
  return { ...next, mails: { ...mails, [day]: counted } };
}

/**
 * @returns the harshest rung whose time has passed. An overdue rung does not come at once: notices come
 * first, and keep their distance
 */
function classOf(state: LifecycleState, { identity, plan }: Assessment, now: number): PreviewClass {
  if (plan.exempt === 'not-understood') return 'not-understood';
  if (plan.exempt !== undefined) return 'exempt';
  if (identity?.state === 'inactive' && !identity.disabledByEngine) return 'disabled-by-hand';
  return plan.rungs.findLast((rung) => inactiveSince(state, rung) + rung.afterMs <= now)?.rung ?? 'nothing';
}

/** Days from now until the first step that the person would notice; `undefined` where none is planned. */
function firstMailDay(
  state: LifecycleState,
  { plan, identity }: Assessment,
  now: number,
): string | undefined {
  const decision = decide({ state, plan, identity, now });
  if (decision.kind === 'notice' || decision.kind === 'rung') return '0';
  if (decision.kind !== 'wait' || decision.next === undefined) return undefined;
  const days = Math.floor(Math.max(0, decision.next.at - now) / dayMs);
  return days < forecastDays ? String(days) : 'later';
}
