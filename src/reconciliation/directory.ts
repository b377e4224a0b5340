/** Kratos' directory, page by page. Of each identity only the ID is returned. */

import type { IdentityApi } from '@ory/client';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { callOry } from '../ory/call.js';
import { isTooLarge, listByIds } from '../ory/list-by-ids.js';
import { tryAgain } from '../process/step-error.js';

export interface DirectoryPage {
  readonly identityIds: readonly string[];
  /** Records without a valid identity ID: each counts as one failure, and does not hold up the others. */
  readonly malformed: number;
  /** Absent on the last page. */
  readonly nextToken?: string;
}

/**
 * What PostgreSQL accepts as a UUID, which is more than RFC 9562 allows: imported
 * ids have any version and variant.
 */
const pageSchema = z.array(z.looseObject({ id: z.unknown() }).catch({ id: undefined }));

function idsOf(records: z.output<typeof pageSchema>): Pick<DirectoryPage, 'identityIds' | 'malformed'> {
  const identityIds = records.flatMap(({ id }) => {
    try {
      return [parseIdentityId(id)];
    } catch {
      return [];
    }
  });
  return { identityIds, malformed: records.length - identityIds.length };
}

/**
 * Lists a page in Kratos' own order. A page that is too large is requested again in smaller ones:
 * identities may be of any size.
 * @throws KratosMalformedAnswer, and what {@link callOry} throws
 */
export async function readDirectoryPage(
  api: IdentityApi,
  pageSize: number,
  pageToken: string | undefined,
): Promise<DirectoryPage> {
  try {
    return await readPage(api, pageSize, pageToken);
  } catch (error) {
    if (!isTooLarge(error) || pageSize === 1) throw error;
    return readDirectoryPage(api, Math.max(1, Math.floor(pageSize / 4)), pageToken);
  }
}

async function readPage(
  api: IdentityApi,
  pageSize: number,
  pageToken: string | undefined,
): Promise<DirectoryPage> {
  const answer = await callOry('Kratos', 'listIdentities', async () => {
    const { data, headers } = await api.listIdentities({
      pageSize,
      ...given({ pageToken }),
    });
    return { data: { body: data as unknown, link: headers.link as unknown } };
  });
  const parsed = pageSchema.safeParse(answer?.body);
  if (!parsed.success)
    throw tryAgain('KratosMalformedAnswer', 'listIdentities answered no list of identities');
  const page = idsOf(parsed.data);
  const nextToken = nextPageToken(answer?.link);
  if (nextToken === undefined) return page;
  // The same token again would make the sweep endless.
  if (nextToken === pageToken)
    throw tryAgain('KratosMalformedAnswer', 'listIdentities named the same page as next');
  return { ...page, nextToken };
}

/** The `page_token` of the link with `rel="next"` (RFC 8288). */
export function nextPageToken(link: unknown): string | undefined {
  if (typeof link !== 'string') return undefined;
  for (const [, target, parameters] of link.matchAll(/<([^>]*)>([^<]*)/g)) {
    if (target === undefined || !/;\s*rel="?next"?/.test(parameters ?? '')) continue;
    // The address may be relative, so it is resolved against a placeholder host that is never called.
    const token = new URL(target, 'http://kratos.invalid').searchParams.get('page_token');
    if (token !== null && token !== '') return token;
  }
  return undefined;
}

/** @returns the given identities that Kratos lists, also where nothing but the id of a record is understood */
export async function readPresent(api: IdentityApi, identityIds: readonly string[]): Promise<Set<string>> {
  return new Set(idsOf(pageSchema.parse(await listByIds(api, identityIds))).identityIds);
}

/**
 * The number of identities.
 * @returns `undefined` where Kratos reports none: it only serves to show a sweep's progress
 */
export async function readDirectorySize(api: IdentityApi): Promise<number | undefined> {
  try {
    const { headers } = await api.listIdentities({ perPage: 1, page: 1 });
    const total = Number.parseInt(String(headers['x-total-count']), 10);
    return Number.isFinite(total) ? total : undefined;
  } catch {
    return undefined;
  }
}
