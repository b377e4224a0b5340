/** Runs chosen tests of a checkout with vitest and tells which failed. Node only. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { Guard } from './guard.js';

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

export interface TestRun {
  /** Each `file › name of the test`. */
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** What vitest said, for a person who looks for the reason. */
  readonly output: string;
}

/** Far longer than the tests of a file take. Milliseconds. */
const longestMs = { unit: 90_000, system: 600_000, faults: 900_000 } as const;

type Selection = Pick<Guard, 'project' | 'tests' | 'only'>;

/** Where no test ran at all, the servers did not start (a busy machine): that says nothing about a guard, and is tried again. */
const starts = 3;

export async function runTests(
  directory: string,
  selection: Selection,
  stopAtFirst: boolean,
): Promise<TestRun> {
  for (let start = 1; ; start += 1) {
    const run = await runOnce(directory, selection, stopAtFirst);
    if (run.passed.length + run.failed.length > 0 || start === starts) return run;
  }
}

async function runOnce(
  directory: string,
  { project, tests, only }: Selection,
  stopAtFirst: boolean,
): Promise<TestRun> {
  const file = join(directory, 'vitest-report.json');
  await rm(file, { force: true });
  const vitest = execa(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...tests],
      ...(only === undefined ? [] : ['-t', only]),
      ...(stopAtFirst ? ['--bail', '1'] : []),
      ...['--reporter', 'default', '--reporter', 'json', '--outputFile.json', file],
    ],
    { cwd: directory, reject: false, all: true, detached: true, stdin: 'ignore' },
  );
  // A rule without its guard may decide the same thing for ever, in a loop that vitest itself can't end.
  let isEndless = false;
  const guard = setTimeout(() => {
    isEndless = true;
    if (vitest.pid !== undefined) process.kill(-vitest.pid, 'SIGKILL');
  }, longestMs[project] * tests.length);
  const { all } = await vitest.finally(() => clearTimeout(guard));
  if (isEndless) return { passed: [], failed: [`${tests[0]} › did not end`], output: all };
  const report = reportSchema.safeParse(JSON.parse(await readFile(file, 'utf8').catch(() => 'null')));
  if (!report.success) return { passed: [], failed: [], output: all };
  const named = (wanted: string) =>
    report.data.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === wanted)
        .map(({ fullName }) => `${name.replace(`${directory}/`, '')} › ${fullName.trim()}`),
    );
  return { passed: named('passed'), failed: named('failed'), output: all };
}
