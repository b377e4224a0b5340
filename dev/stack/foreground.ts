/** Runs a stack in the foreground of a terminal, until Ctrl-C or until a part fails. */

import { join, relative } from 'node:path';
import colors from 'picocolors';
import { ConfigError } from '../../src/config.js';
import { given } from '../../src/domain/given.js';
import { describeDeath, StackError } from './errors.js';
import { describeAddresses } from './stack-home.js';
import { startStack } from './start-stack.js';
import type { RunningStack, StartStackOptions } from './types.js';

// npm forwards signals that the terminal has already sent, so a second one means nothing new.
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Line = (text: string) => void;

/**
 * Starts the stack, prints its addresses, and stops it on a signal.
 * @returns the exit code: 0 when it was stopped, 1 when it could not start or a part failed.
 */
export async function runInForeground(
  options: Omit<StartStackOptions, 'report' | 'reportStatus' | 'signal'>,
): Promise<number> {
  const stopRequest = new AbortController();
  for (const signal of stopSignals) process.on(signal, () => stopRequest.abort());
  const screen = createScreen();
  try {
    const stack = await startStack({
      ...options,
      report: screen.line,
      ...given({ reportStatus: screen.status }),
      signal: stopRequest.signal,
    });
    return await serve(stack, stopRequest.signal, screen.line);
  } catch (error) {
    if (stopRequest.signal.aborted) return 0;
    if (!(error instanceof StackError || error instanceof ConfigError)) throw error;
    console.error(`${colors.red('The stack did not start.')}\n${error.message}`);
    return 1;
  }
}

async function serve(stack: RunningStack, stopSignal: AbortSignal, line: Line): Promise<number> {
  showWhereEverythingIs(stack, line);
  const died = await Promise.race([stack.died, untilAborted(stopSignal)]);
  if (died !== undefined)
    console.error(`${colors.red('A part of the stack failed.')}\n${describeDeath(died)}`);
  line('Stopping …');
  await stack.stop();
  line('Stopped.');
  return died === undefined ? 0 : 1;
}

function showWhereEverythingIs(stack: RunningStack, line: Line): void {
  const place = (name: string) => relative(process.cwd(), join(stack.dataDirectory, name));
  line('');
  line(colors.green('Everything is ready.'));
  const desk = stack.environment.DORMOUSE_DESK_URL;
  if (desk) line(`  ${'Desk'.padEnd(14)} ${desk}/desk`);
  for (const address of describeAddresses(stack.info)) line(address);
  line(`  ${'Credentials'.padEnd(14)} ${place('stack.json')}`);
  line(`  ${'Logs'.padEnd(14)} ${place('logs')}`);
  line('Ctrl-C stops it; the data stay for the next start (npm start -- --fresh begins anew).');
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Lines, with a status below that is overwritten in place where the output is a terminal. */
function createScreen(): { line: Line; status: Line | undefined } {
  const output = process.stdout;
  if (!output.isTTY) return { line: (text) => console.log(text), status: undefined };
  const clear = '\r\u001b[2K';
  return {
    line: (text) => output.write(`${clear}${text}\n`),
    // Cut to the width: a wrapped line could not be overwritten.
    status: (text) => output.write(`${clear}${colors.dim(text.slice(0, (output.columns || 80) - 1))}`),
  };
}
