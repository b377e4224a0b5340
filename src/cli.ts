#!/usr/bin/env node
/** Entry point: `dormouse`, the operators' command line. */
import { createProgram } from './cli-program.js';

try {
  await createProgram().parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
