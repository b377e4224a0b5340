/** The published policy, for hooks that ask for it at each token: read once in a while, for all of them. */
import type pg from 'pg';
import type { Policy } from '../domain/policy/schema.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { PolicyReader, UnknownPolicyError } from '../policies/policies-table.js';

export interface PublishedPolicy {
  readonly policy: Policy;
  readonly reference: PolicyReference;
}

/** How long what the policy says is used before it is read again, milliseconds. */
const freshMs = 10_000;

/** @returns what reads it: `undefined` where it was never published. It throws where PostgreSQL is away */
export function publishedPolicy(pool: pg.Pool, policyId: string): () => Promise<PublishedPolicy | undefined> {
  const reader = new PolicyReader(pool);
  let known: { readonly published: PublishedPolicy | undefined; readonly readAt: number } | undefined;
  return async () => {
    if (known === undefined || performance.now() - known.readAt >= freshMs) {
      known = { published: await read(reader, policyId), readAt: performance.now() };
    }
    return known.published;
  };
}

async function read(reader: PolicyReader, policyId: string): Promise<PublishedPolicy | undefined> {
  try {
    return await reader.read(policyId);
  } catch (error) {
    if (error instanceof UnknownPolicyError) return undefined;
    throw error;
  }
}
