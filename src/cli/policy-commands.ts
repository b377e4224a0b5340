/** `dormouse policy …`: check and publish policy files. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { limitWarnings } from '../domain/breaker/size.js';
import { formatDuration } from '../domain/duration.js';
import { breakerRules } from '../domain/plan.js';
import { parsePolicyFile } from '../domain/policy-file.js';
import { effectiveRungs } from '../domain/policy-ladder.js';
import { publishPolicy } from '../store/policies.js';
import { withPool } from './connection.js';
import { wholeNumber } from './numbers.js';

export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('check and publish policy files');
  policy
    .command('check <file>')
    .description('say what is wrong with a policy file, or what its ladder is')
    .option(
      '--identities <number>',
      'how many the installation has, or will have: whether the limits suit it',
    )
    .action(async (file: string, options: { identities?: string }) => {
      const parsed = parsePolicyFile(await readFile(file, 'utf8'), file);
      console.log(`${file} is sound. The ladder of "${parsed.id}":`);
      for (const [rung, values] of effectiveRungs(parsed.ladder)) {
        const notices =
          'notices' in values ? `, notices ${values.notices.map(formatDuration).join(', ')} ahead` : '';
        console.log(`  ${rung.padEnd(12)}${formatDuration(values.after)}${notices}`);
      }
      if (options.identities === undefined) return;
      const population = wholeNumber('--identities', options.identities);
      for (const warning of limitWarnings(breakerRules(parsed), { population })) {
        console.log(`warning: ${warning}`);
      }
    });
  policy
    .command('publish <file>')
    .description(
      'publish a policy file as the next version of its policy; identities take it up when they wake',
    )
    .action(async (file: string) => {
      const text = await readFile(file, 'utf8');
      const reference = await withPool((pool) => publishPolicy(pool, text, file, Date.now()));
      console.log(`${reference.id} version ${reference.version} (sha256 ${reference.hash.slice(0, 12)})`);
    });
}
