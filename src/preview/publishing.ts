/** A publication that rests on a preview, or on a reason why not. */
import type pg from 'pg';
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import { isIntact, latestVersion, policyHash, readPolicyRow } from '../policies/policies-table.js';
import { type Publication, publishPolicy } from '../policies/publication.js';
import { parsePolicyToPublish } from '../policies/yaml.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { checkedPreview } from './binding.js';
import type { PeopleSources } from './people.js';

export interface Publishing {
  readonly text: string;
  /** The name of its file, for messages. */
  readonly file: string;
  readonly actor: string;
  readonly reason: string;
  /** The preview's hash, or its first 12 characters at least. */
  readonly preview?: string;
  /** Why it is published without one. */
  readonly withoutPreview?: string;
  /** By how much the preview's numbers may have changed since. Percent. */
  readonly toleratedPercent: number;
  /** The latest version that the decision rests on. Absent: the one of this moment. */
  readonly expected?: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * @returns what carries the publication out, once everything that it rests on is checked
 * @throws PolicyFileError, InvalidRequestError, UnknownPreviewError, PreviewOutdatedError
 */
export async function preparePublication(
  sources: PeopleSources,
  publishing: Publishing,
): Promise<() => Promise<Publication>> {
  const { text, file, actor, reason, now, expected } = publishing;
  const { pool } = sources;
  const policy = parsePolicyToPublish(text, file);
  const latest = await latestVersion(pool, policy.id);
  const basis = await basisOf(sources, publishing, { id: policy.id, latest });
  const decision = { actor, reason, at: now, expected: expected ?? latest };
  return () => publishPolicy(pool, { text, file }, { ...decision, ...(basis !== undefined && { basis }) });
}

/**
 * Nobody follows a policy without a version, so its first one needs no preview; and there is nothing to compare with a
 * version that somebody altered.
 */
async function basisOf(
  sources: PeopleSources,
  { preview, withoutPreview, toleratedPercent, text, file, now }: Publishing,
  { id, latest }: { readonly id: string; readonly latest: number },
): Promise<string | undefined> {
  if (preview !== undefined && withoutPreview !== undefined)
    throw new InvalidRequestError('--without-preview: goes without --preview. Write one of them');
  if (preview !== undefined) {
    const policy = parsePolicyToPublish(text, file);
    const { hash } = await checkedPreview(sources, { preview, policy, text, toleratedPercent, now });
    return `on preview ${hash.slice(0, 12)}`;
  }
  if (withoutPreview !== undefined) {
    const problem = reasonProblem(withoutPreview);
    if (problem !== undefined) throw new InvalidRequestError(`--without-preview: ${problem}`);
    return `without preview: ${normalText(withoutPreview)}`;
  }
  return latest === 0 ? undefined : basisAgainst(sources.pool, id, latest, text);
}

async function basisAgainst(
  pool: pg.Pool,
  id: string,
  latest: number,
  text: string,
): Promise<string | undefined> {
  const inForce = await readPolicyRow(pool, id, latest);
  if (!isIntact(inForce)) return 'without preview: the version in force was altered';
  // Nothing will be published.
  if (inForce.hash === policyHash(text)) return undefined;
  throw new InvalidRequestError(
    '--preview: is missing. See first what the policy does to whom: dormouse policy preview FILE. It ends with the hash to write here. Or say why there is no time for it: --without-preview REASON',
  );
}
