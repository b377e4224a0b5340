/** Whether nothing may be done to an identity for inactivity, read at the time of the act. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { planFor } from '../../domain/plan.js';
import { exemptionInForce } from '../../exemptions/exemptions-table.js';
import { isOnHold } from '../../holds/holds-table.js';
import { subjectOf } from '../../looks/plan-in-force.js';
import { readIdentity } from '../../ory/kratos-identity.js';
import type { StoredPolicy } from '../../policies/policies-table.js';

/**
 * An account type, role, opt-out or exclusion of the policy, an operator's exemption, or a hold. An identity that Kratos does not know is
 * spared too: its burial ends its tokens, and a Kratos that is restored must not cost anybody theirs.
 * @param now epoch milliseconds
 * @throws StepError where Kratos is away
 */
export async function isSpared(
  { identities, pool }: { readonly identities: IdentityApi; readonly pool: pg.Pool },
  { policy, reference }: StoredPolicy,
  identityId: string,
  now: number,
): Promise<boolean> {
  const identity = await readIdentity(identities, identityId);
  if (identity === undefined) return true;
  const exemption = await exemptionInForce(pool, identityId);
  const plan = planFor(policy, reference, subjectOf(identityId, identity, exemption));
  return plan.exempt !== undefined || (await isOnHold(pool, identityId, now));
}
