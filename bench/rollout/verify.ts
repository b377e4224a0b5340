/** Whether anybody who was left asleep would sleep past a step of the new version: by the whole course, person by person. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { dayMs } from '../../src/domain/duration.js';
import { planFor } from '../../src/domain/plan.js';
import { courseOf } from '../../src/forecast/course.js';
import { lifeOf } from '../../src/forecast/life-of.js';
import type { PolicyReader } from '../../src/policies/policies-table.js';
import { readPeople } from '../../src/preview/people.js';
import { indexOf, isAdmin } from './people.js';

/** A lifecycle's own timer is no more exact. Milliseconds. */
const toleranceMs = 60_000;

/** @returns how many, without those who were to be woken */
export async function lateOnes(
  pool: pg.Pool,
  policies: PolicyReader,
  asked: { readonly policyId: string; readonly now: number; readonly identities: IdentityApi },
): Promise<number> {
  const { policyId, now, identities } = asked;
  const [before, after] = [await policies.read(policyId, 1), await policies.read(policyId, 2)];
  let late = 0;
  for await (const { members } of readPeople({ pool, identities }, policyId)) {
    for (const { subject, known } of members) {
      if (isAdmin(indexOf(subject.identityId))) continue;
      const planInForce = planFor(before.policy, before.reference, subject);
      const plan = planFor(after.policy, after.reference, subject);
      const { deeds } = courseOf(lifeOf({ ...known, planInForce }, plan, now), now, now + 400 * dayMs);
      const [first] = deeds;
      const sleepsUntil = known.standing.next?.at;
      if (first === undefined || sleepsUntil === undefined || first.at < sleepsUntil - toleranceMs) late += 1;
    }
  }
  return late;
}
