/** `dormouse policy …`: check, publish, roll back and see policies. */
import type { Command } from 'commander';
import { withPool } from '../cli/connection.js';
import { wholeNumber } from '../cli/numbers.js';
import { readConfig } from '../config.js';
import { limitWarnings } from '../domain/breaker/size.js';
import { formatDuration } from '../domain/duration.js';
import { breakerRules } from '../domain/plan.js';
import { effectiveRungs, type Ladder } from '../domain/policy/ladder.js';
import { addCompareCommands } from './compare-commands.js';
import { checkedPolicyId } from './id-parameter.js';
import { addKeycloakCommand } from './keycloak/command.js';
import {
  AlteredPolicyError,
  isIntact,
  type ListedPolicy,
  listPolicies,
  readPolicyRow,
} from './policies-table.js';
import { presetNamed, readPreset } from './presets.js';
import type { Publication } from './publication.js';
import { addPublishCommand, addRollbackCommand } from './publish-command.js';
import { readPolicyFile } from './read-file.js';
import { parsePolicyToPublish } from './yaml.js';

export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('check, publish, roll back and see policies');
  policy
    .command('check <file>')
    .description('say what is wrong with a policy file, or what its ladder is')
    .option(
      '--identities <number>',
      'an installation of this size: warn of limits of the breaker that are few for it',
    )
    .action(check);
  addPublishCommand(policy, announce);
  addRollbackCommand(policy, announce);
  policy
    .command('list')
    .description(
      'every version of every policy, which one people follow, and whether its text is still the one published',
    )
    .action(list);
  policy
    .command('show <id>')
    .description('the text of a policy as it was published, or of a preset: preset:NAME')
    .option('--version <number>', 'this version; left out: the latest')
    .action(show);
  addCompareCommands(policy);
  addKeycloakCommand(policy);
}

async function check(file: string, { identities }: { readonly identities?: string }): Promise<void> {
  const population = identities === undefined ? undefined : wholeNumber('--identities', identities);
  const parsed = parsePolicyToPublish(await readPolicyFile(file), file);
  console.log(`${file} is sound. The ladder of "${parsed.id}":`);
  printLadder(parsed.ladder);
  for (const { name, ladder } of parsed.populations) {
    console.log(
      `The ladder of the population "${name}":${ladder === 'never' ? ' never, these people are exempt' : ''}`,
    );
    if (ladder !== 'never') printLadder(ladder);
  }
  if (population !== undefined) {
    for (const warning of limitWarnings(breakerRules(parsed), { population }))
      console.log(`Breaker: ${warning}`);
  }
  if (parsed.sessions === undefined) return;
  const { idle, absolute, renewal } = parsed.sessions;
  const idles = idle === null ? 'no idle limit' : `idle ${formatDuration(idle)}`;
  console.log(`Sessions: ${idles}, absolute ${formatDuration(absolute)}, renewed by ${renewal}`);
}

function printLadder(ladder: Ladder): void {
  for (const [rung, values] of effectiveRungs(ladder)) {
    const notices =
      'notices' in values ? `, notices ${values.notices.map(formatDuration).join(', ')} ahead` : '';
    console.log(`  ${rung.padEnd(12)}${formatDuration(values.after)}${notices}`);
  }
}

async function list(): Promise<void> {
  const { DORMOUSE_POLICY_ID: followed } = readConfig(['DORMOUSE_POLICY_ID']);
  const policies = await withPool(listPolicies);
  for (const policy of policies) {
    const { id, version, hash, publishedAt } = policy;
    const line = `${`${id}@${version}`.padEnd(24)}published ${new Date(publishedAt).toISOString()}  sha256 ${hash.slice(0, 12)}`;
    console.log([line, ...remarksOn(policy, followed)].join('  '));
  }
  if (policies.some(({ id }) => id === followed)) return;
  console.log(`"${followed}", which DORMOUSE_POLICY_ID names, was never published`);
}

function remarksOn({ id, isLatest, isIntact }: ListedPolicy, followed: string): string[] {
  return [
    ...(isLatest ? [id === followed ? 'latest, followed' : 'latest'] : []),
    ...(isIntact ? [] : ['ALTERED: its text is not the one that was published, and nothing acts by it']),
  ];
}

/** @throws AlteredPolicyError after printing the text, which the operator needs to see */
async function show(id: string, { version }: { version?: string }): Promise<void> {
  const preset = presetNamed(id);
  if (preset !== undefined) {
    process.stdout.write(await readPreset(preset));
    return;
  }
  const wanted = version === undefined ? undefined : wholeNumber('--version', version);
  const policyId = checkedPolicyId('id', id);
  const row = await withPool((pool) => readPolicyRow(pool, policyId, wanted));
  console.log(`# ${row.id} version ${row.version}, sha256 ${row.hash}`);
  process.stdout.write(row.source.endsWith('\n') ? row.source : `${row.source}\n`);
  if (!isIntact(row)) throw new AlteredPolicyError(row);
}

function announce({ reference: { id, version, hash }, isNew }: Publication): void {
  const what = `${id} version ${version} (sha256 ${hash.slice(0, 12)})`;
  console.log(isNew ? what : `${what} has this text already and is the latest: nothing was published`);
}
