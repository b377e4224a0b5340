/** The registry of Hydra's refresh tokens: on where the published policy has rules for them. */
import type pg from 'pg';
import { PolicyReader, UnknownPolicyError } from '../policies/policies-table.js';
import { followGrant, type HydraGrant } from '../tokens/refresh/hydra-grants.js';

/** How long what the policy says is used before it is read again, milliseconds. */
const freshMs = 10_000;

/** @returns what the token hook calls; its answer is false where a family ended */
export function refreshRegistry(pool: pg.Pool, policyId: string): (grant: HydraGrant) => Promise<boolean> {
  const reader = new PolicyReader(pool);
  let known: { readonly isOn: boolean; readonly readAt: number } | undefined;
  const isOn = async (): Promise<boolean> => {
    if (known === undefined || performance.now() - known.readAt >= freshMs) {
      known = { isOn: await hasRules(reader, policyId), readAt: performance.now() };
    }
    return known.isOn;
  };
  return async (grant) => ((await isOn()) ? followGrant(pool, { ...grant, policyId }, Date.now()) : true);
}

async function hasRules(reader: PolicyReader, policyId: string): Promise<boolean> {
  try {
    return (await reader.read(policyId)).policy.tokens?.refresh !== undefined;
  } catch (error) {
    if (error instanceof UnknownPolicyError) return false;
    throw error;
  }
}
