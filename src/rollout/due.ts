/** When a sleeping lifecycle's next step is due under another version of its policy. Pure. */
import type { FoundIdentity } from '../domain/lifecycle/assessment.js';
import { type PolicySubject, planFor } from '../domain/plan.js';
import type { Standing } from '../domain/standing.js';
import { courseOf } from '../forecast/course.js';
import { lifeOf } from '../forecast/life-of.js';
import type { StoredPolicy } from '../policies/policies-table.js';

export interface Sleeper {
  readonly standing: Standing;
  readonly identity: FoundIdentity;
  readonly subject: PolicySubject;
}

/**
 * @param inForce the version that the standing came about by
 * @param now epoch milliseconds
 * @returns epoch milliseconds; `undefined` where nothing comes before the step that it sleeps towards. A return is due
 * at once
 */
export function dueUnder(
  { standing, identity, subject }: Sleeper,
  inForce: StoredPolicy,
  next: StoredPolicy,
  now: number,
): number | undefined {
  const plan = planFor(next.policy, next.reference, subject);
  const planInForce = planFor(inForce.policy, inForce.reference, subject);
  // Signs of life and postponements since the standing could only make it later, and the look itself reads them.
  const known = { standing, identity, planInForce, activity: {}, postponements: [], hasAddress: true };
  const until = standing.next?.at ?? now;
  return courseOf(lifeOf(known, plan, now), now, until).deeds[0]?.at;
}

/** A lifecycle's own timer is no more exact than this. Milliseconds. */
const toleranceMs = 60_000;

/** Whether the lifecycle has to be woken: it would sleep past the time. */
export function isEarlier({ next }: Standing, dueAt: number | undefined): dueAt is number {
  return dueAt !== undefined && next !== undefined && dueAt < next.at - toleranceMs;
}
