/** How a process starts: errors that an operator can fix are printed plainly, all others with their stack. */
import { ConfigError } from '../config.js';

/** Runs `main`; exits 1 with a message when it fails. */
export async function runEntry(name: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${name} could not start: ${describe(error)}\n`);
    process.exit(1);
  }
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
