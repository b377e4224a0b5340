/** Which clients of Hydra have sliding access, as the published policy says. */
import type pg from 'pg';
import type { Policy } from '../domain/policy/schema.js';
import { PolicyReader, UnknownPolicyError } from '../policies/policies-table.js';
import { databaseNow } from '../sessions/sessions-table.js';
import { admitSliding, type SlidingAdmission, type SlidingGrant } from '../tokens/access/sliding.js';

/** How long what the policy says is used before it is read again, milliseconds. */
const freshMs = 10_000;

/** @returns what the token hook calls. It throws where PostgreSQL is away */
export function slidingAccess(
  pool: pg.Pool,
  policyId: string,
): (grant: SlidingGrant) => Promise<SlidingAdmission> {
  const reader = new PolicyReader(pool);
  let known: { readonly policy: Policy | undefined; readonly readAt: number } | undefined;
  const policyOfNow = async (): Promise<Policy | undefined> => {
    if (known === undefined || performance.now() - known.readAt >= freshMs) {
      known = { policy: await readPolicy(reader, policyId), readAt: performance.now() };
    }
    return known.policy;
  };
  return async (grant) => {
    const policy = await policyOfNow();
    if (policy?.tokens?.access === undefined) return 'not-sliding';
    return admitSliding(pool, policy, grant, await databaseNow(pool));
  };
}

/** @returns `undefined` where it was never published */
async function readPolicy(reader: PolicyReader, policyId: string): Promise<Policy | undefined> {
  try {
    return (await reader.read(policyId)).policy;
  } catch (error) {
    if (error instanceof UnknownPolicyError) return undefined;
    throw error;
  }
}
