/** The people of the benchmark: what Kratos would answer of them, and their standings, by the engine's own rules. */
import { dayMs } from '../../src/domain/duration.js';
import { standingOf } from '../../src/domain/lifecycle/standing-of.js';
import { initialState } from '../../src/domain/lifecycle/state.js';
import { planFor } from '../../src/domain/plan.js';
import type { Standing } from '../../src/domain/standing.js';
import { subjectOf } from '../../src/looks/plan-in-force.js';
import type { KratosIdentity } from '../../src/ory/kratos-identity.js';
import type { StoredPolicy } from '../../src/policies/policies-table.js';
import { randomOf } from '../../src/simulation/random.js';

/** One in a hundred is an admin, whose ladder the second version shortens. */
export const isAdmin = (index: number) => index % 100 === 0;

export const idOf = (index: number) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
export const indexOf = (identityId: string) => Number.parseInt(identityId.slice(-12), 16);

/** A ladder for everybody, and one for admins. @param adminWarn when admins are warned, as `25d` */
export function policyText(id: string, adminWarn: string): string {
  return `id: ${id}
ladder:
  warn: { after: 30d }
  suspend: { after: 60d, noticeFloor: 7d }
  revoke: { after: 90d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed, mailAfter: true }
roles:
  admin: { warn: { after: ${adminWarn} } }
jitter: 1h
recheck: 7d
retry: { attempts: 3, firstAfter: 10s, longestAfter: 1h }
`;
}

/** As Kratos has it. */
export function kratosAnswer(index: number, now: number): object {
  const createdAt = new Date(now - 400 * dayMs).toISOString();
  return {
    ...{ id: idOf(index), schema_id: 'person', state: 'active', traits: {} },
    ...{ created_at: createdAt, state_changed_at: createdAt },
    metadata_admin: isAdmin(index) ? { role: 'admin' } : {},
    metadata_public: null,
    verifiable_addresses: [
      { id: idOf(index), value: `person-${index}@acorn.example`, via: 'email', verified: true },
    ],
  };
}

/** The standing of somebody asleep at the bottom of the ladder, seen within the last ten days. */
export function asleep(index: number, inForce: StoredPolicy, now: number): Standing {
  const identityId = idOf(index);
  const lastSeenAt = now - Math.floor(randomOf(`seen/${index}`)() * 10 * dayMs);
  const createdAt = now - 400 * dayMs;
  const identity = { ...(kratosAnswer(index, now) as KratosIdentity), created_at: createdAt };
  const plan = planFor(inForce.policy, inForce.reference, subjectOf(identityId, identity, undefined));
  const state = {
    ...initialState(identityId, { id: inForce.reference.id }, now),
    ...{ activity: { human: lastSeenAt }, policy: inForce.reference, known: true },
  };
  const found = {
    ...({ state: 'active', publishedStage: 'active' } as const),
    ...{ stateChangedAt: createdAt, createdAt, disabledByEngine: false },
  };
  return standingOf({ state, plan, identity: found, now });
}
