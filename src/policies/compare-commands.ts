/** `dormouse policy diff`, `dormouse policy presets`: what a policy says, before anything acts by it. */
import type { Command } from 'commander';
import { type DeskOptions, openGateway } from '../cli/desk.js';
import { namedPolicy } from '../cli/named-policy.js';
import { type Difference, inWords, policyDifferences } from '../forecast/policy-differences.js';
import type { Effect } from '../forecast/severity.js';
import { presetNames, readPreset } from './presets.js';
import { parsePolicyFile } from './yaml.js';

export function addCompareCommands(policy: Command): void {
  policy
    .command('diff <before> <after>')
    .description(
      'what changed between two policies, and whether it is harsher or milder. Each a file, id, id@version or preset:NAME',
    )
    .option('--json', 'as JSON')
    .action(async (before: string, after: string, { json }: { json?: true }, command: Command) => {
      const gateway = () => openGateway(command.optsWithGlobals<DeskOptions>());
      const [one, other] = [await namedPolicy(before, gateway), await namedPolicy(after, gateway)];
      const differences = policyDifferences(one.policy, other.policy);
      if (json) console.log(JSON.stringify({ before, after, differences }, undefined, 2));
      else for (const line of lines(differences)) console.log(line);
    });
  policy
    .command('presets')
    .description('policies to start from; dormouse policy show preset:NAME says what each satisfies')
    .action(listPresets);
}

const signs: Readonly<Record<Effect, string>> = { harsher: '!', milder: '~', other: ' ' };

function lines(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return ['no difference that anybody would notice'];
  const count = (effect: Effect) => differences.filter((one) => one.effect === effect).length;
  return [
    ...differences.map((one) => `${signs[one.effect]} ${inWords(one)}`),
    `${count('harsher')} harsher, ${count('milder')} milder, ${count('other')} other`,
  ];
}

async function listPresets(): Promise<void> {
  for (const name of await presetNames()) {
    const { description = '' } = parsePolicyFile(await readPreset(name), `preset:${name}`);
    console.log(`${name.padEnd(24)}${description}`);
  }
}
