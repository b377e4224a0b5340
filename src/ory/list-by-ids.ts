/** Lists identities of Kratos by their ids, in requests that Kratos and the proxies before it take. */
import type { IdentityApi } from '@ory/client';
import { StepError, tryAgain } from '../process/step-error.js';
import { callOry } from './call.js';

/**
 * Most ids in one request. Kratos takes 500, but they travel in the URL: that would be 20 kB, and proxies commonly
 * stop at 8 kB.
 */
export const idsPerList = 150;

export interface ListedByIds {
  /** As Kratos answered them, without those that it does not know. */
  readonly records: readonly unknown[];
  /** Identities that Kratos has, and that are too large to be read even alone. */
  readonly tooLarge: readonly string[];
}

/**
 * A list that is too large is requested in halves: identities may be of any size.
 * @throws KratosMalformedAnswer, and what {@link callOry} throws
 */
export async function listByIds(api: IdentityApi, identityIds: readonly string[]): Promise<ListedByIds> {
  if (identityIds.length === 0) return { records: [], tooLarge: [] };
  if (identityIds.length > idsPerList) return listInParts(api, identityIds, idsPerList);
  try {
    const answer = await callOry<unknown>('Kratos', 'listIdentities', () =>
      api.listIdentities({ ids: [...identityIds], pageSize: identityIds.length }),
    );
    if (Array.isArray(answer)) return { records: answer, tooLarge: [] };
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    if (identityIds.length === 1) return { records: [], tooLarge: identityIds };
    return listInParts(api, identityIds, Math.ceil(identityIds.length / 2));
  }
  throw tryAgain('KratosMalformedAnswer', 'listIdentities answered no list of identities');
}

async function listInParts(
  api: IdentityApi,
  identityIds: readonly string[],
  first: number,
): Promise<ListedByIds> {
  const one = await listByIds(api, identityIds.slice(0, first));
  const other = await listByIds(api, identityIds.slice(first));
  return {
    records: [...one.records, ...other.records],
    tooLarge: [...one.tooLarge, ...other.tooLarge],
  };
}

/** Whether Kratos answered with more than is read at once. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof StepError && error.type === 'KratosAnswerTooLarge';
}
