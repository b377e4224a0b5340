/** Kratos' directory, page by page. Of each identity only the ID is returned. */

import type { Readable } from 'node:stream';
import type { IdentityApi } from '@ory/client';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { callOry } from '../ory/call.js';
import { isTooLarge, listByIds } from '../ory/list-by-ids.js';
import { tryAgain } from '../process/step-error.js';

export interface DirectoryPage {
  readonly identityIds: readonly string[];
  /** Records without a valid identity ID, or too large to be read: each counts as one failure, and does not hold up the others. */
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
 * identities may be of any size. One that is too large by itself is passed over, as a malformed record.
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
    if (!isTooLarge(error)) throw error;
    // guard: an identity that is too large by itself does not stop the sweep
    if (pageSize === 1) return passOver(api, pageToken);
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
  return { ...idsOf(parsed.data), ...nextOf(answer?.link, pageToken) };
}

/** Takes from a page of one identity only where the next page begins. */
async function passOver(api: IdentityApi, pageToken: string | undefined): Promise<DirectoryPage> {
  const link = await callOry('Kratos', 'listIdentities', async () => {
    const { data, headers } = await api.listIdentities(
      { pageSize: 1, ...given({ pageToken }) },
      { responseType: 'stream' },
    );
    (data as unknown as Readable).destroy();
    return { data: { next: headers.link as unknown } };
  });
  return { identityIds: [], malformed: 1, ...nextOf(link?.next, pageToken) };
}

/** @throws KratosMalformedAnswer for the same token again, which would make the sweep endless */
function nextOf(link: unknown, pageToken: string | undefined): Pick<DirectoryPage, 'nextToken'> {
  const nextToken = nextPageToken(link);
  if (nextToken === undefined) return {};
  if (nextToken !== pageToken) return { nextToken };
  throw tryAgain('KratosMalformedAnswer', 'listIdentities named the same page as next');
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
  const { records, tooLarge } = await listByIds(api, identityIds);
  return new Set([...idsOf(pageSchema.parse(records)).identityIds, ...tooLarge]);
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
