/** A preview at the desk: the self-contained page of `dormouse policy preview --html` in a frame, above it what changes, and the way to publish. */
import { createHash } from 'node:crypto';
import { inWords, policyDifferences } from '../forecast/policy-differences.js';
import { PolicyReader } from '../policies/policies-table.js';
import { parsePolicyToPublish } from '../policies/yaml.js';
import { runAndKeepPreview } from '../preview/keep.js';
import { previewPage } from '../preview/page.js';
import { sortScript, style } from '../preview/page-assets.js';
import type { PeopleDependencies } from '../preview/people.js';
import type { Preview } from '../preview/run.js';
import { tripLines } from '../preview/table.js';
import type { DeskContext } from './context.js';
import { styleHash } from './render.js';

export interface MadePreview {
  readonly preview: Preview;
  readonly text: string;
  /** The whole page. */
  readonly page: string;
  /** Of the answer that holds it: its frame inherits it. */
  readonly contentPolicy: string;
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const contentPolicy = [
  "default-src 'none'",
  `style-src '${styleHash}' ${hashOf(style)}`,
  `script-src ${hashOf(sortScript)}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @throws PolicyFileError, UnknownPolicyError, AlteredPolicyError */
export async function previewPolicy(deps: PeopleDependencies, text: string): Promise<MadePreview> {
  const policy = parsePolicyToPublish(text, 'text');
  const request = { policy, text, policyId: policy.id, now: Date.now() };
  const { preview, worst } = await runAndKeepPreview(deps, request);
  return { preview, text, page: previewPage(preview, worst), contentPolicy };
}

export async function previewPageView({ pool }: DeskContext, { preview, text, page }: MadePreview) {
  const { tally, policyId, inForce, hash, tripsAfter } = preview;
  const before = await new PolicyReader(pool).read(policyId);
  const differences = policyDifferences(before.policy, parsePolicyToPublish(text, 'text'));
  return {
    ...{ text, page, hash, inForce, missing: tally.missing },
    ...{ earlier: tally.moves.earlier, later: tally.moves.later, same: tally.moves.same },
    differences: differences.map((one) => ({ text: inWords(one), effect: one.effect })),
    trips: tripLines(tripsAfter),
  };
}
