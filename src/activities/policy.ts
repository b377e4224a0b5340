/** Reads the policy that an identity follows, and what of the identity it looks at. */
import type { ExemptionKind } from '../domain/exemption.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import type { PolicySubject } from '../domain/plan.js';
import {
  AlteredPolicyError,
  type PolicyReader,
  type StoredPolicy,
  UnknownPolicyError,
} from '../store/policies.js';
import { giveUp, tryAgain } from './failures.js';
import { type KratosIdentity, textField } from './kratos-identity.js';

/**
 * @param whenAltered how to fail where the text is not the one that was published. Default: tried again, so that everybody
 *   goes on by themselves once the right text was published
 * @throws UnknownPolicy (not retried) when it was never published, PolicyAltered
 */
export async function readPolicy(
  policies: PolicyReader,
  choice: PolicyChoice,
  whenAltered: typeof giveUp | typeof tryAgain = tryAgain,
): Promise<StoredPolicy> {
  try {
    return await policies.read(choice.id, choice.version);
  } catch (error) {
    if (error instanceof UnknownPolicyError) throw giveUp('UnknownPolicy', error.message);
    if (error instanceof AlteredPolicyError) throw whenAltered('PolicyAltered', error.message);
    throw error;
  }
}

/** @param identity absent: not in Kratos */
export function subjectOf(
  identityId: string,
  identity: KratosIdentity | undefined,
  exemption: ExemptionKind | undefined,
): PolicySubject {
  const accountType = textField(identity?.metadata_admin, 'account_type');
  const adminRole = textField(identity?.metadata_admin, 'role');
  const traitsRole = textField(identity?.traits, 'role');
  return {
    identityId,
    schemaId: identity?.schema_id ?? '',
    ...(accountType === undefined ? {} : { accountType }),
    ...(adminRole === undefined ? {} : { adminRole }),
    ...(traitsRole === undefined ? {} : { traitsRole }),
    optedOut: identity?.metadata_admin?.skip_stale_revocation === true,
    ...(exemption === undefined ? {} : { exemption }),
  };
}
