/** A publication that rests on a preview, or on a reason why not. */
import type pg from 'pg';
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import type { Policy } from '../domain/policy/schema.js';
import {
  AlteredPolicyError,
  isIntact,
  latestVersion,
  policyHash,
  readPolicyRow,
} from '../policies/policies-table.js';
import { type Publication, publishPolicy, rollBackPolicy } from '../policies/publication.js';
import { parsePolicyFile, parsePolicyToPublish } from '../policies/yaml.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { checkedPreview } from './binding.js';
import type { PeopleDependencies } from './people.js';

interface Basis {
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

export interface Publishing extends Basis {
  readonly text: string;
  /** The name of its file, for messages. */
  readonly file: string;
}

export interface RollingBack extends Basis {
  readonly id: string;
  /** The earlier version. */
  readonly to: number;
}

/**
 * @returns what carries the publication out, once everything that it rests on is checked
 * @throws PolicyFileError, InvalidRequestError, UnknownPreviewError, PreviewOutdatedError
 */
export async function preparePublication(
  deps: PeopleDependencies,
  publishing: Publishing,
): Promise<() => Promise<Publication>> {
  const { text, file, actor, reason, now, expected } = publishing;
  const { pool } = deps;
  const policy = parsePolicyToPublish(text, file);
  const latest = await latestVersion(pool, policy.id);
  const basis = await basisOf(deps, publishing, { policy, text, latest, named: file });
  const decision = { actor, reason, at: now, expected: expected ?? latest };
  return () => publishPolicy(pool, { text, file }, { ...decision, ...(basis !== undefined && { basis }) });
}

/**
 * The same for the text of an earlier version.
 * @throws UnknownPolicyError, AlteredPolicyError, PolicyFileError, InvalidRequestError, UnknownPreviewError, PreviewOutdatedError
 */
export async function prepareRollback(
  deps: PeopleDependencies,
  rollingBack: RollingBack,
): Promise<() => Promise<Publication>> {
  const { id, to, actor, reason, now, expected } = rollingBack;
  const { pool } = deps;
  const row = await readPolicyRow(pool, id, to);
  if (!isIntact(row)) throw new AlteredPolicyError(row);
  const named = `${id}@${to}`;
  const policy = parsePolicyFile(row.source, named);
  const latest = await latestVersion(pool, id);
  const basis = await basisOf(deps, rollingBack, { policy, text: row.source, latest, named });
  const decision = { actor, reason, at: now, expected: expected ?? latest };
  return () => rollBackPolicy(pool, { id, to }, { ...decision, ...(basis !== undefined && { basis }) });
}

interface NextVersion {
  readonly policy: Policy;
  readonly text: string;
  /** The latest version; 0: none was published. */
  readonly latest: number;
  /** What names the text to a preview. */
  readonly named: string;
}

/**
 * Nobody follows a policy without a version, so its first one needs no preview; and there is nothing to compare with a
 * version that somebody altered.
 */
async function basisOf(
  deps: PeopleDependencies,
  { preview, withoutPreview, toleratedPercent, now }: Basis,
  next: NextVersion,
): Promise<string | undefined> {
  const { policy, text, latest } = next;
  if (preview !== undefined && withoutPreview !== undefined)
    throw new InvalidRequestError('--without-preview: goes without --preview. Write one of them');
  if (preview !== undefined) {
    const { hash } = await checkedPreview(deps, { preview, policy, text, toleratedPercent, now });
    return `on preview ${hash.slice(0, 12)}`;
  }
  if (withoutPreview !== undefined) {
    const problem = reasonProblem(withoutPreview);
    if (problem !== undefined) throw new InvalidRequestError(`--without-preview: ${problem}`);
    return `without preview: ${normalText(withoutPreview)}`;
  }
  // guard: policies: no later version is published unseen
  return latest === 0 ? undefined : basisAgainst(deps.pool, next);
}

async function basisAgainst(
  pool: pg.Pool,
  { policy: { id }, text, latest, named }: NextVersion,
): Promise<string | undefined> {
  const inForce = await readPolicyRow(pool, id, latest);
  if (!isIntact(inForce)) return 'without preview: the version in force was altered';
  // Nothing will be published.
  if (inForce.hash === policyHash(text)) return undefined;
  throw new InvalidRequestError(
    `--preview: is missing. See first what the policy does to whom: dormouse policy preview ${named}. It ends with the hash to write here. Or say why there is no time for it: --without-preview REASON`,
  );
}
