/** Kratos' directory, page by page; of each identity only its ID leaves here. */
import type { IdentityApi } from '@ory/client';
import { z } from 'zod';
import { callOry, tryAgain } from './failures.js';

export interface DirectoryPage {
  readonly identityIds: readonly string[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

const pageSchema = z.array(z.object({ id: z.uuid() }));

/** Lists a page in Kratos' own order. @throws KratosMalformedAnswer, and what {@link callOry} throws */
export async function readDirectoryPage(
  api: IdentityApi,
  pageSize: number,
  pageToken: string | undefined,
): Promise<DirectoryPage> {
  const answer = await callOry('Kratos', 'listIdentities', async () => {
    const { data, headers } = await api.listIdentities({
      pageSize,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    return { data: { body: data as unknown, link: headers.link as unknown } };
  });
  const parsed = pageSchema.safeParse(answer?.body);
  if (!parsed.success)
    throw tryAgain('KratosMalformedAnswer', 'listIdentities answered no list of identities');
  const identityIds = parsed.data.map(({ id }) => id);
  const nextToken = nextPageToken(answer?.link);
  if (nextToken === undefined) return { identityIds };
  // A sweep that stands still would never end.
  if (nextToken === pageToken)
    throw tryAgain('KratosMalformedAnswer', 'listIdentities named the same page as next');
  return { identityIds, nextToken };
}

/** The `page_token` of the link with `rel="next"` (RFC 8288). */
export function nextPageToken(link: unknown): string | undefined {
  if (typeof link !== 'string') return undefined;
  for (const [, target, parameters] of link.matchAll(/<([^>]*)>([^<]*)/g)) {
    if (target === undefined || !/;\s*rel="?next"?/.test(parameters ?? '')) continue;
    // The address may be relative, so it is read against one that nobody calls.
    const token = new URL(target, 'http://kratos.invalid').searchParams.get('page_token');
    if (token !== null && token !== '') return token;
  }
  return undefined;
}

/** @returns those of the identities that Kratos lists */
export async function readPresent(api: IdentityApi, identityIds: readonly string[]): Promise<Set<string>> {
  if (identityIds.length === 0) return new Set();
  const answer = await callOry<unknown>('Kratos', 'listIdentities', () =>
    api.listIdentities({ ids: [...identityIds], pageSize: identityIds.length }),
  );
  const parsed = pageSchema.safeParse(answer);
  if (!parsed.success)
    throw tryAgain('KratosMalformedAnswer', 'listIdentities answered no list of identities');
  return new Set(parsed.data.map(({ id }) => id));
}

/** How many identities there are. @returns `undefined` where Kratos does not say: it only serves to show how far a sweep is */
export async function readDirectorySize(api: IdentityApi): Promise<number | undefined> {
  try {
    const { headers } = await api.listIdentities({ perPage: 1, page: 1 });
    const total = Number.parseInt(String(headers['x-total-count']), 10);
    return Number.isFinite(total) ? total : undefined;
  } catch {
    return undefined;
  }
}
