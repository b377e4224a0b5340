/** When a sleeping lifecycle's next step is due under another version of its policy. Pure. */
import { planFor } from '../domain/plan.js';
import type { Standing } from '../domain/standing.js';
import { courseOf } from '../forecast/course.js';
import { lifeOf } from '../forecast/life-of.js';
import type { StoredPolicy } from '../policies/policies-table.js';
import type { Member } from '../preview/people.js';

/**
 * @param inForce the version that the standing came about by
 * @param now epoch milliseconds
 * @returns epoch milliseconds; `undefined` where nothing comes before the step that it sleeps towards. A return is due
 * at once
 */
export function dueUnder(
  { known, subject }: Member,
  inForce: StoredPolicy,
  next: StoredPolicy,
  now: number,
): number | undefined {
  const plan = planFor(next.policy, next.reference, subject);
  const planInForce = planFor(inForce.policy, inForce.reference, subject);
  const until = known.standing.next?.at ?? now;
  return courseOf(lifeOf({ ...known, planInForce }, plan, now), now, until).deeds[0]?.at;
}

/** A lifecycle's own timer is no more exact than this. Milliseconds. */
const toleranceMs = 60_000;

/** Whether the lifecycle has to be woken: it would sleep past the time. */
export function isEarlier({ next }: Standing, dueAt: number | undefined): dueAt is number {
  // guard: roll-out: who sleeps past an earlier date is woken
  return dueAt !== undefined && next !== undefined && dueAt < next.at - toleranceMs;
}
