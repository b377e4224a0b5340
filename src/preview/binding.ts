/** Whether a publication may rest on a preview: the same text, the same version in force, and nearly the same answer. */
import type { Policy } from '../domain/policy/schema.js';
import { policyHash } from '../policies/policies-table.js';
import { type AnswerChange, changesOf } from './answer.js';
import type { PeopleDependencies } from './people.js';
import { findPreview } from './previews-table.js';
import { type Preview, runPreview } from './run.js';

/** The preview says nothing about this publication (any more). Nothing was published. */
export class PreviewOutdatedError extends Error {
  override readonly name = 'PreviewOutdatedError';
  constructor(problem: string) {
    super(`--preview: ${problem}. Nothing was published. Look at a new one: dormouse policy preview FILE`);
  }
}

export interface Binding {
  /** The preview's hash, or its first 12 characters at least. */
  readonly preview: string;
  readonly policy: Policy;
  /** The exact text that is to be published. */
  readonly text: string;
  /** By how much a number of the answer may have changed since. Percent of the greater one. */
  readonly toleratedPercent: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Changes that an error names. */
const mostNamed = 5;

/**
 * Asks the population again.
 * @returns the new preview
 * @throws UnknownPreviewError, PreviewOutdatedError, and what {@link runPreview} throws
 */
export async function checkedPreview(deps: PeopleDependencies, binding: Binding): Promise<Preview> {
  const { preview, policy, text, toleratedPercent, now } = binding;
  const kept = await findPreview(deps.pool, preview);
  // guard: policies: a preview of another text is none
  if (kept.policyHash !== policyHash(text)) throw new PreviewOutdatedError('it is of another text');
  if (kept.policyId !== policy.id) {
    throw new PreviewOutdatedError(
      `it asked the people of "${kept.policyId}", and not those of "${policy.id}"`,
    );
  }
  const again = await runPreview(deps, { policy, text, policyId: policy.id, now });
  if (again.inForce !== kept.inForce) {
    throw new PreviewOutdatedError(
      `it was compared with ${kept.inForce}, and ${again.inForce} is in force now`,
    );
  }
  const changes = changesOf(kept.answer, again.answer, toleratedPercent);
  // guard: policies: a preview whose population changed since is none
  if (changes.length === 0) return again;
  throw new PreviewOutdatedError(
    `the population answers otherwise now, by more than ${toleratedPercent} %: ${named(changes)}`,
  );
}

function named(changes: readonly AnswerChange[]): string {
  const texts = changes.slice(0, mostNamed).map(({ what, before, after }) => `${what} ${before} → ${after}`);
  const more = changes.length - texts.length;
  return `${texts.join('; ')}${more === 0 ? '' : `; and ${more} more`}`;
}
