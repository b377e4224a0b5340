/** Where an identity stands, from its memory and its plan. Pure. */

import { describeElapsed } from '../duration.js';
import { given } from '../given.js';
import { type RungName, rungNames } from '../rungs.js';
import type { Standing } from '../standing.js';
import { inactiveSince, inactiveSinceFor, skipOf } from './clock.js';
import { type Decision, decide, type Situation } from './decide.js';
import { governingHold } from './holds.js';
import type { NextStep } from './next-step.js';
import { offTheBottom, stageOf } from './stage.js';
import type { LifecycleState } from './state.js';

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
