#!/usr/bin/env node
/** Entry point: `dormouse`, the operators' command line. */
import { CommanderError } from 'commander';
import { exitCodeOf } from './cli/exit-codes.js';
import { printable } from './cli/output.js';
import { createProgram } from './cli-program.js';

// A reader that has seen enough, as head has after some lines, is no error.
// guard: command line: a reader that has seen enough is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has said it already.
  if (!(error instanceof CommanderError))
    console.error(printableLines(error instanceof Error ? error.message : String(error)));
  process.exitCode = exitCodeOf(error);
}

/** A message may hold what another system answered. */
function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
