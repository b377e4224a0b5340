/** What `dormouse policy simulate` refuses, before it reads anything else. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { progressBar } from '../../src/cli/progress.js';
import { addPolicyCommands } from '../../src/policies/commands.js';
import { addSimulateCommand } from '../../src/simulation/commands.js';

async function simulate(...args: string[]): Promise<void> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addPolicyCommands(program);
  addSimulateCommand(program);
  await program.parseAsync(['policy', 'simulate', ...args], { from: 'user' });
}

const file = 'policies/default.yaml';
const people = ['--population', '10'];

describe('dormouse policy simulate refuses', () => {
  it.each<[string, string[], RegExp]>([
    ['no population', [file], /--population/],
    [
      'nobody',
      [file, '--population', '0'],
      /^--population: must be a whole number from 1 to 1000000, or live$/,
    ],
    ['a billion people', [file, '--population', '1000000000'], /^--population: must be a whole number/],
    ['half a person', [file, '--population', '1.5'], /^--population: must be a whole number/],
    ['people in words', [file, '--population', 'all'], /^--population: must be a whole number/],
    ['no day', [file, ...people, '--days', '0'], /^--days: must be a whole number from 1 to 3650$/],
    ['days before now', [file, ...people, '--days', '-5'], /^--days: must be a whole number from 1 to 3650$/],
    [
      'a seed in words',
      [file, ...people, '--seed', 'lucky'],
      /^--seed: must be a whole number from 0 to 4294967295$/,
    ],
    [
      'more notices than all',
      [file, ...people, '--notice-response', '101'],
      /^--notice-response: must be a whole number from 0 to 100$/,
    ],
    ['two forms at once', [file, ...people, '--csv', '--json'], /^--csv: goes without --json/],
    [
      'a policy beside invented people',
      [file, ...people, '--policy', 'default'],
      /^--policy: goes with --population live only/,
    ],
    ['a file that there is not', ['no-such.yaml', ...people], /no-such\.yaml: there is no such file/],
    ['a file that is no policy', ['package.json', ...people], /^package\.json:1: id: is missing/],
  ])('%s', async (_title, args, message) => {
    await expect(simulate(...args)).rejects.toThrow(message);
  });
});

describe('the progress bar', () => {
  it.each([
    [0, 200, '[------------------------------]   0 %  0 of 200 people'],
    [100, 200, '[###############---------------]  50 %  100 of 200 people'],
    [200, 200, '[##############################] 100 %  200 of 200 people'],
    [0, 0, '[##############################] 100 %  0 of 0 people'],
  ])('%i of %i', (done, all, bar) => {
    expect(progressBar(done, all, 'people')).toBe(bar);
  });
});
