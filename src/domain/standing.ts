/** Standing: where an identity stands, what comes next, when, and why. For people and for apps. Pure. */

import { describeElapsed } from './duration.js';
import { given } from './given.js';
import { inactiveSince, inactiveSinceFor, skipOf } from './lifecycle/clock.js';
import { type Blocked, type Decision, decide, type NextStep, type Situation } from './lifecycle/decide.js';
import type { Hold } from './lifecycle/holds.js';
import { governingHold } from './lifecycle/holds.js';
import { offTheBottom, stageOf } from './lifecycle/stage.js';
import type { LifecycleState, NoticeRecord, Parked } from './lifecycle/state.js';
import type { PolicyReference } from './plan.js';
import { type RungName, rungNames, type Stage } from './rungs.js';
import type { LatestActivity } from './sign-of-life.js';

export interface Standing {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly stage: Stage;
  /** Since when, epoch milliseconds. */
  readonly since: number;
  /** The latest sign of life that counts, or the start of the clock; epoch milliseconds. */
  readonly lastActiveAt: number;
  readonly activity: LatestActivity;
  readonly policy?: PolicyReference;
  readonly next?: NextStep;
  readonly blocked?: Blocked;
  /** One sentence for an operator. */
  readonly why: string;
  /** The hold in force that ends last. */
  readonly hold?: Hold;
  /** All holds, where there are any. Standings written before several were possible lack this field. */
  readonly holds?: readonly Hold[];
  readonly parked?: Parked;
  /** Rungs that an operator decided not to carry out in this absence, and the time of the decision. */
  readonly skipped?: Readonly<Partial<Record<RungName, number>>>;
  /** The step that is being carried out (or retried) at the moment. */
  readonly inProgress?: string;
  readonly notices: readonly NoticeRecord[];
  readonly completed: Readonly<Partial<Record<RungName, number>>>;
  readonly warnings: readonly string[];
  /** Whether a sign of life changes more than the clock. Such a sign reaches the workflow at once. */
  readonly offBottom: boolean;
  /** Otherwise the workflow gets at most one signal in this time. Milliseconds. */
  readonly signalWindowMs: number;
}

/** @param inProgress the step being carried out, where one is */
export function standingOf(situation: Situation, inProgress?: string): Standing {
  const { state, plan, now } = situation;
  const decision = decide(situation);
  const lastActiveAt = inactiveSince(state, plan);
  const next = nextOf(decision, now);
  const blocked = decision.kind === 'wait' ? decision.blocked : undefined;
  return {
    schemaVersion: 1,
    identityId: state.identityId,
    stage: stageOf(state),
    since: state.stageSince,
    lastActiveAt,
    activity: state.activity,
    ...given({ policy: state.policy, next, blocked }),
    why: whyOf(situation, decision, inProgress),
    ...holdsOf(state, now),
    ...given({ parked: state.parked }),
    ...skippedOf(situation),
    ...given({ inProgress }),
    notices: state.notices.filter((notice) => notice.void === undefined),
    completed: completedRungs(state),
    warnings: state.warnings,
    offBottom: offTheBottom(state),
    signalWindowMs: plan.signalWindowMs,
  };
}

function holdsOf({ holds = [] }: LifecycleState, now: number): Pick<Standing, 'hold' | 'holds'> {
  const hold = governingHold({ holds }, now);
  return { ...given({ hold }), ...(holds.length === 0 ? {} : { holds }) };
}

function skippedOf({ state, plan }: Situation): Pick<Standing, 'skipped'> {
  const inForce = rungNames.flatMap((rung) => {
    const skip = skipOf(state, rung, inactiveSinceFor(state, plan, rung));
    return skip === undefined ? [] : [[rung, skip.at]];
  });
  return inForce.length === 0 ? {} : { skipped: Object.fromEntries(inForce) };
}

function nextOf(decision: Decision, now: number): NextStep | undefined {
  if (decision.kind === 'wait') return decision.next;
  if (decision.kind === 'notice') return { step: 'notice', rung: decision.rung.rung, at: now };
  if (decision.kind === 'rung') return { step: 'rung', rung: decision.rung.rung, at: now };
  if (decision.kind === 'bury') return { step: 'rung', rung: 'bury', at: now };
  return undefined;
}

function completedRungs(state: LifecycleState): Partial<Record<RungName, number>> {
  const completed: Partial<Record<RungName, number>> = {};
  for (const [rung, record] of Object.entries(state.rungs)) {
    if (record?.completedAt !== undefined) completed[rung as RungName] = record.completedAt;
  }
  return completed;
}

function whyOf({ state, plan, now }: Situation, decision: Decision, inProgress: string | undefined): string {
  const away = `No sign of life that counts for ${describeElapsed(now - inactiveSince(state, plan))}`;
  if (inProgress !== undefined) return `${away}; ${inProgress} is being carried out.`;
  if (decision.kind === 'finished') return 'Deleted by the policy, after notice.';
  if (decision.kind === 'gone') return 'Kratos does not know this identity.';
  if (decision.kind === 'bury') return 'Kratos does not know this identity any more; it is being forgotten.';
  if (decision.kind === 'return') return `Back at the bottom of the ladder (${decision.cause}).`;
  if (decision.kind !== 'wait') return `${away}; ${decision.kind} (${decision.rung.rung}) is due now.`;
  if (decision.blocked !== undefined) return `${away}; nothing happens: ${decision.blocked.why}.`;
  if (decision.next === undefined) return `${away}; the ladder has no further rung.`;
  const what = decision.next.step === 'notice' ? `the notice of ${decision.next.rung}` : decision.next.rung;
  return `${away}; next is ${what} at ${new Date(decision.next.at).toISOString()}.`;
}
