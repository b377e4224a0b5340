/** Reads the policy that an identity follows, and the fields of the identity that the policy looks at. */

import type { ExemptionKind } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import type { PolicySubject } from '../domain/plan.js';
import { isUnconfirmed } from '../mail/addresses.js';
import { readFlag, readWord, readWords } from '../ory/admin-metadata.js';
import type { KratosIdentity } from '../ory/kratos-identity.js';
import {
  AlteredPolicyError,
  type PolicyReader,
  type StoredPolicy,
  UnknownPolicyError,
} from '../policies/policies-table.js';
import { giveUp, tryAgain } from '../process/step-error.js';

/**
 * @param whenAltered how to fail where the text differs from the published one. Default: retried, so that all
 * lifecycles continue by themselves once the right text is published
 * @throws UnknownPolicy (not retried) when it was never published, PolicyAltered
 */
// guard: policies: a lifecycle waits for the right text instead of giving up
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
  const metadata = identity?.metadata_admin;
  const accountType = readWord(metadata, 'account_type');
  const adminRole = readWord(metadata, 'role');
  const groups = readWords(metadata, 'groups');
  const optOut = readFlag(metadata, 'skip_stale_revocation');
  // The person may write this field, so an unclear value in it exempts nobody.
  const traitsRole = readWord(identity?.traits, 'role').value;
  const unclear = [
    ...(accountType.isUnclear ? (['account_type'] as const) : []),
    ...(adminRole.isUnclear ? (['role'] as const) : []),
    ...(groups.isUnclear ? (['groups'] as const) : []),
    ...(optOut.isUnclear ? (['skip_stale_revocation'] as const) : []),
  ];
  return {
    identityId,
    schemaId: identity?.schema_id ?? '',
    ...(accountType.value !== undefined && { accountType: accountType.value }),
    ...(adminRole.value !== undefined && { adminRole: adminRole.value }),
    ...(groups.value !== undefined && { groups: groups.value }),
    ...(traitsRole !== undefined && { traitsRole }),
    ...(identity !== undefined && isUnconfirmed(identity) && { unconfirmed: true as const }),
    optedOut: optOut.value === true,
    ...(unclear.length > 0 && { unclear }),
    ...given({ exemption }),
  };
}
