/** `dormouse policy …`: check, publish, roll back and see policies. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { ChangeFlags } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { altered, publishedText } from '../cli/named-policy.js';
import { wholeNumber } from '../cli/numbers.js';
import { say, sayJson, sayRows } from '../cli/output.js';
import { limitWarnings } from '../domain/breaker/size.js';
import { formatDuration } from '../domain/duration.js';
import { breakerRules } from '../domain/plan.js';
import { effectiveRungs, type Ladder } from '../domain/policy/ladder.js';
import { addCompareCommands } from './compare-commands.js';
import { checkedPolicyId } from './id-parameter.js';
import { addKeycloakCommand } from './keycloak/command.js';
import { presetNamed, readPreset } from './presets.js';
import { addPublishCommand, addRollbackCommand, type Published } from './publish-command.js';
import { readPolicyFile } from './read-file.js';
import type { policiesAnswer } from './routes.js';
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
    .option('--json', 'one JSON object a line')
    .action(atGateway(list));
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

type Listed = z.input<typeof policiesAnswer>;

async function list(gateway: GatewayCalls, { json }: { json?: true }): Promise<void> {
  const { policies, followed } = await gateway.get<Listed>('/v1/policies');
  sayRows(
    [
      { title: 'policy', of: ({ id, version }) => `${id}@${version}` },
      { title: 'published', of: ({ publishedAt }) => publishedAt },
      { title: 'sha256', of: ({ hash }) => hash.slice(0, 12) },
      { title: 'state', of: (one) => remarksOn(one, followed) },
    ],
    policies,
    { json: json === true, none: 'No policy was published yet.' },
  );
  if (policies.some(({ id }) => id === followed)) return;
  console.error(`"${followed}", which the gateway's DORMOUSE_POLICY_ID names, was never published`);
}

function remarksOn({ id, isLatest, isIntact }: Listed['policies'][number], followed: string): string {
  return [
    ...(isLatest ? [id === followed ? 'latest, followed' : 'latest'] : ['earlier']),
    ...(isIntact ? [] : ['ALTERED: its text is not the one that was published, and nothing acts by it']),
  ].join('  ');
}

/** A preset is part of this command; for a published policy the gateway is asked. */
async function show(id: string, flags: { version?: string }, command: Command): Promise<void> {
  const preset = presetNamed(id);
  if (preset !== undefined) {
    process.stdout.write(await readPreset(preset));
    return;
  }
  const version = flags.version === undefined ? undefined : wholeNumber('--version', flags.version);
  const policyId = checkedPolicyId('id', id);
  await atGateway(async (gateway) => {
    const row = await publishedText(gateway, policyId, version);
    say(`# ${row.id} version ${row.version}, sha256 ${row.hash}`);
    for (const line of row.text.replace(/\n$/, '').split('\n')) say(line);
    // After the text, which the operator needs to see.
    if (!row.isIntact) throw altered(row);
  })(command);
}

function announce(published: Published, { json }: ChangeFlags): void {
  const { id, version, hash, isNew } = published;
  const what = `${id} version ${version} (sha256 ${hash.slice(0, 12)})`;
  if (json === true) sayJson(published);
  else say(isNew ? what : `${what} has this text already and is the latest: nothing was published`);
}
