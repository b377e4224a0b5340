/** The text that a preview begins with: of a published version, or nothing. */
import type pg from 'pg';
import { InvalidRequestError } from '../client.js';
import { readPolicyRow } from '../policies/policies-table.js';

const named = /^([a-z][a-z0-9-]{0,31})(?:@(\d{1,9}))?$/;

/** @param of `id` or `id@version`. @throws InvalidRequestError, UnknownPolicyError */
export async function policyTextOf(pool: pg.Pool, of: string | undefined): Promise<string> {
  if (of === undefined) return '';
  const [, id, version] = named.exec(of) ?? [];
  if (id === undefined) throw new InvalidRequestError('of: is no policy. Write it as default or default@3');
  return (await readPolicyRow(pool, id, version === undefined ? undefined : Number(version))).source;
}
