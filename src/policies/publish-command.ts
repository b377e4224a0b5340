/** `dormouse policy publish` and `policy rollback`: only on a preview, or with a reason why not. */
import type { Command } from 'commander';
import type pg from 'pg';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool } from '../cli/connection.js';
import { wholeNumber } from '../cli/numbers.js';
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import type { Policy } from '../domain/policy/schema.js';
import { checkedPreview } from '../preview/binding.js';
import { previewDependencies } from '../preview/dependencies.js';
import { checkedPolicyId } from './id-parameter.js';
import { readNamedPolicy } from './named.js';
import { isIntact, latestVersion, policyHash, readPolicyRow } from './policies-table.js';
import { type Publication, publishPolicy, rollBackPolicy } from './publication.js';
import { readPolicyFile } from './read-file.js';
import { parsePolicyToPublish } from './yaml.js';

interface Flags extends Decision {
  readonly expect?: string;
  readonly preview?: string;
  readonly withoutPreview?: string;
  readonly tolerate: string;
}

/** What a version of a policy takes, whichever text it has. */
function addBasisOptions(command: Command): Command {
  return command
    .option('--preview <hash>', 'the preview that the decision rests on: dormouse policy preview FILE')
    .option('--without-preview <reason>', 'publish without one, and why; the audit log has it')
    .option('--tolerate <percent>', "by how much the preview's numbers may have changed since", '1');
}

export const expectOption = [
  '--expect <version>',
  'the latest version that the decision rests on; refused where another one is the latest. Left out: the one of this moment',
] as const;

/** @param announce tells the operator the outcome */
export function addPublishCommand(policy: Command, announce: (publication: Publication) => void): void {
  const command = policy
    .command('publish <file>')
    .description(
      'publish a policy file as the next version of its policy; identities take it up when they wake',
    )
    .requiredOption(...reasonOption);
  addBasisOptions(command)
    .option(...expectOption)
    .option(...actorOption)
    .action(async (file: string, flags: Flags) => announce(await publish(file, flags)));
}

/** @param announce tells the operator the outcome */
export function addRollbackCommand(policy: Command, announce: (publication: Publication) => void): void {
  const command = policy
    .command('rollback <id>')
    .description('publish the text of an earlier version as the next version')
    .requiredOption('--to <version>', 'the earlier version; its preview: dormouse policy preview ID@VERSION')
    .requiredOption(...reasonOption);
  addBasisOptions(command)
    .option(...expectOption)
    .option(...actorOption)
    .action(async (id: string, flags: Flags & { to: string }) => announce(await rollBack(id, flags)));
}

async function rollBack(id: string, flags: Flags & { to: string }): Promise<Publication> {
  const { actor, reason } = checkedDecision(flags);
  const expect = flags.expect === undefined ? undefined : wholeNumber('--expect', flags.expect);
  const choice = { id: checkedPolicyId('id', id), to: wholeNumber('--to', flags.to) };
  return withPool(async (pool) => {
    const latest = await latestVersion(pool, id);
    const { policy, text } = await readNamedPolicy(`${id}@${choice.to}`, () => pool);
    const basis = await basisOf(pool, { policy, text, latest, file: `${id}@${choice.to}` }, flags);
    const decision = { actor, reason, at: Date.now(), expected: expect ?? latest };
    return rollBackPolicy(pool, choice, { ...decision, ...(basis !== undefined && { basis }) });
  });
}

async function publish(file: string, flags: Flags): Promise<Publication> {
  const { actor, reason } = checkedDecision(flags);
  const expect = flags.expect === undefined ? undefined : wholeNumber('--expect', flags.expect);
  const text = await readPolicyFile(file);
  const policy = parsePolicyToPublish(text, file);
  return withPool(async (pool) => {
    const latest = await latestVersion(pool, policy.id);
    const basis = await basisOf(pool, { policy, text, latest, file }, flags);
    const decision = { actor, reason, at: Date.now(), expected: expect ?? latest };
    return publishPolicy(pool, { text, file }, { ...decision, ...(basis !== undefined && { basis }) });
  });
}

interface Publishing {
  readonly policy: Policy;
  readonly text: string;
  readonly latest: number;
  /** What names the text to a preview. */
  readonly file: string;
}

/**
 * Nobody follows a policy without a version, so its first one needs no preview; and there is nothing to compare with a
 * version that somebody altered.
 */
async function basisOf(
  pool: pg.Pool,
  { policy, text, latest, file }: Publishing,
  { preview, withoutPreview, tolerate }: Flags,
): Promise<string | undefined> {
  if (preview !== undefined && withoutPreview !== undefined)
    throw new Error('--without-preview: goes without --preview. Write one of them');
  if (preview !== undefined) {
    const toleratedPercent = percent('--tolerate', tolerate);
    const binding = { preview, policy, text, toleratedPercent, now: Date.now() };
    const { hash } = await checkedPreview(previewDependencies(pool), binding);
    return `on preview ${hash.slice(0, 12)}`;
  }
  if (withoutPreview !== undefined) {
    const problem = reasonProblem(withoutPreview);
    if (problem !== undefined) throw new Error(`--without-preview: ${problem}`);
    return `without preview: ${normalText(withoutPreview)}`;
  }
  // guard: policies: no later version is published unseen
  if (latest === 0) return undefined;
  const inForce = await readPolicyRow(pool, policy.id, latest);
  if (!isIntact(inForce)) return 'without preview: the version in force was altered';
  // Nothing will be published.
  if (inForce.hash === policyHash(text)) return undefined;
  throw new Error(
    `--preview: is missing. See first what the policy does to whom: dormouse policy preview ${file}. It ends with the hash to write here. Or say why there is no time for it: --without-preview REASON`,
  );
}

/** @returns a number from 0 to 100. @throws Error naming the flag */
function percent(flag: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new Error(`${flag}: must be a number from 0 to 100, such as 1 or 2.5`);
}
