/** Reads the policy that an identity follows. */
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import { type PolicyReader, type StoredPolicy, UnknownPolicyError } from '../store/policies.js';
import { giveUp } from './failures.js';

/** @throws UnknownPolicy (not retried) when it was never published */
export async function readPolicy(policies: PolicyReader, choice: PolicyChoice): Promise<StoredPolicy> {
  try {
    return await policies.read(choice.id, choice.version);
  } catch (error) {
    if (error instanceof UnknownPolicyError) throw giveUp('UnknownPolicy', error.message);
    throw error;
  }
}
