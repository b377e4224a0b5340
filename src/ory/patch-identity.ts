/** Changes fields of an identity in Kratos. */
import type { IdentityApi, JsonPatch } from '@ory/client';
import { giveUp } from '../process/step-error.js';
import { callOry, isRefusedAsUnfit } from './call.js';

/**
 * Kratos loads, patches, validates against the schema and writes the whole identity.
 * @returns false when the identity is gone.
 * @throws IdentityDoesNotFitSchema where Kratos answers 400
 */
export async function patchIdentity(
  identities: IdentityApi,
  id: string,
  jsonPatch: JsonPatch[],
): Promise<boolean> {
  try {
    const answer = await callOry('Kratos', 'patchIdentity', () =>
      identities.patchIdentity({ id, jsonPatch }),
    );
    return answer !== undefined;
  } catch (error) {
    if (isRefusedAsUnfit(error)) throw giveUp('IdentityDoesNotFitSchema', 'patchIdentity was answered 400');
    throw error;
  }
}

/** Whether {@link patchIdentity} was refused for good. */
export function isUnfit(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'IdentityDoesNotFitSchema';
}
