/**
 * Which guards' tests pass while every guard is in its place: a test that fails anyway proves nothing. All tests of a
 * project run together, so that its servers start once or twice instead of once for each guard.
 */
import type { Guard } from './guard.js';
import { runTests, type TestRun } from './run-tests.js';

type Selection = Pick<Guard, 'project' | 'tests' | 'only'>;

/** @returns the names of the guards of which a test ran, and none failed */
export async function soundGuards(directory: string, guards: readonly Guard[]): Promise<ReadonlySet<string>> {
  const sound = new Set<string>();
  for (const selection of joinedSelections(guards)) {
    const run = await runTests(directory, selection, false);
    const names = guards.filter((guard) => isSound(guard, run)).map(({ name }) => name);
    for (const name of names) sound.add(name);
    if (run.failed.length > 0 || run.passed.length === 0) console.error(run.output.slice(-3_000));
  }
  return sound;
}

/** For each project one selection by titles, and one of whole files. Pure. */
export function joinedSelections(guards: readonly Guard[]): readonly Selection[] {
  const whole = new Map<string, Selection>();
  for (const { project, tests, only } of guards) {
    const key = `${project} ${only === undefined}`;
    const before = whole.get(key);
    whole.set(key, {
      project,
      tests: [...new Set([...(before?.tests ?? []), ...tests])],
      ...(only === undefined ? {} : { only: [before?.only, `(?:${only})`].filter(Boolean).join('|') }),
    });
  }
  return [...whole.values()];
}

/** Whether `run` tried the guard's own tests, and none of them failed. Pure. */
export function isSound(guard: Selection, { passed, failed }: Pick<TestRun, 'passed' | 'failed'>): boolean {
  const isOwn = (test: string) =>
    guard.tests.some(
      (file) =>
        test.startsWith(`${file} › `) && new RegExp(guard.only ?? '').test(test.slice(file.length + 3)),
    );
  return passed.some(isOwn) && !failed.some(isOwn);
}
