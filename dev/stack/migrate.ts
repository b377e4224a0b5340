/** Runs the schema migrations of Ory's servers. Execa only. */
import { execa } from 'execa';
import { StackError } from './errors.js';
import { lastLinesOf } from './files.js';

const timeoutMs = 180_000;

/** @throws StackError with the end of the migration's output. */
export async function migrate(
  title: string,
  program: string,
  commandLine: readonly string[],
  environment: Record<string, string>,
): Promise<void> {
  const result = await execa(program, [...commandLine], {
    env: environment,
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: timeoutMs,
  });
  if (result.exitCode === 0) return;
  const output = lastLinesOf(result.all ?? '', 15).map((line) => `  ${line}`);
  throw new StackError(
    [`${title}: its database could not be migrated: ${result.shortMessage}`, ...output].join('\n'),
  );
}
