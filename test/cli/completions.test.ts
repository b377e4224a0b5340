/** What a shell offers, from the commands themselves. */
import { Argument, Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { completions } from '../../src/cli/completions.js';

const program = new Command('dormouse').version('1.0.0').option('--context <name>');
program
  .command('hold <identity>')
  .addOption(new Option('--kind <kind>').choices(['legal', 'leave']))
  .option('--dry-run');
const breaker = program.command('breaker');
breaker.command('status').option('--json');
breaker.command('trip').addArgument(new Argument('<scope>').choices(['all', 'delete']));
program.command('secret', { hidden: true });

const complete = (...words: string[]) => completions(program, words, { contexts: ['prod', 'staging'] });

describe('completion of', () => {
  it.each([
    ['nothing typed: every command that is not hidden', [''], ['breaker', 'help', 'hold']],
    ['the beginning of a command', ['h'], ['help', 'hold']],
    ['a group: its commands', ['breaker', ''], ['help', 'status', 'trip']],
    ['a hidden command: nothing', ['sec'], []],
    ['an option', ['hold', '--d'], ['--dry-run']],
    ['the options of the commands above', ['hold', '--c'], ['--context']],
    ['the value of an option with choices', ['hold', '--kind', 'le'], ['leave', 'legal']],
    ['the value of --context', ['--context', ''], ['prod', 'staging']],
    ['a parameter after the value of an option', ['hold', '--kind', 'legal', ''], []],
    ['a command after the option of the program', ['--context', 'prod', 'br'], ['breaker']],
    ['a parameter with choices', ['breaker', 'trip', ''], ['all', 'delete']],
    ['the next parameter: nothing', ['breaker', 'trip', 'all', ''], []],
    ['a command that there is not: nothing', ['nobody', ''], []],
  ])('%s', (_what, words, expected) => {
    expect(complete(...words)).toEqual(expected);
  });
});
