#!/usr/bin/env node
/** Entry point: `dormouse`, the operators' command line. */
import { CommanderError } from 'commander';
import { exitCodeOf } from './cli/exit-codes.js';
import { printable } from './cli/output.js';
import { createProgram } from './cli-program.js';

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
