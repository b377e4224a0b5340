/** Asks a person before a command changes more than one identity. */
import { createInterface } from 'node:readline/promises';
import { CliError, exitCodes } from './exit-codes.js';
import { printable } from './output.js';

export const yesOption = ['-y, --yes', 'do not ask; required where there is no terminal'] as const;

/**
 * @param what is about to happen, as "release trip 3 for everybody who waits"
 * @throws CliError where the person says no, or nobody can be asked
 */
export async function confirmed(what: string, { yes }: { readonly yes?: true }): Promise<void> {
  if (yes === true) return;
  if (!(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new CliError(
      `--yes: is missing. The command would ${what}, and there is no terminal to ask at. See first what it hits: --dry-run`,
      exitCodes.usage,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`This will ${printable(what)}. Type "yes" to go on: `);
    if (answer.trim().toLowerCase() === 'yes') return;
  } finally {
    terminal.close();
  }
  throw new CliError('Nothing was changed.', exitCodes.refused);
}
