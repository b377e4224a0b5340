/**
 * `npm test`: all tests, in lanes side by side, each run with servers of its own. The files of a run go one after the other,
 * and part of that is waiting. With arguments it is `vitest run` with these; `--record` alone runs all, and writes what each file took
 * (durations.json), by which the next runs share the files among the lanes. Ends with "N passed, N failed, N skipped".
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { type Durations, lanesOf } from './lanes.js';
import { type Report, runOne } from './run-one.js';

const project = join(import.meta.dirname, '..', '..');
const recorded = join(import.meta.dirname, 'durations.json');
/** The tests of all other projects: the last lane begins with them. */
const others = 'other projects';

/**
 * A lane takes a third of a processor on the average, as it waits for timers of the servers most of the time, and 1 to 2 GB with its stack,
 * workers and now and then a browser.
 */
const laneCount = Math.max(1, Math.min(5, Math.floor(totalmem() / 2e9)));

async function durations(): Promise<Durations> {
  return z.record(z.string(), z.number()).parse(JSON.parse(await readFile(recorded, 'utf8')));
}

async function systemFiles(): Promise<string[]> {
  const folders = ['test/integration', 'test/workflows'];
  const names = folders.map(async (folder) =>
    (await readdir(join(project, folder)))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  );
  return (await Promise.all(names)).flat();
}

/** The runs of each lane, as vitest's arguments. Every test is in exactly one, whatever projects and files there are. */
async function lanes(): Promise<readonly (readonly string[])[][]> {
  const known = await durations();
  const busy = Array.from({ length: laneCount }, (_, index) =>
    index === laneCount - 1 ? (known[others] ?? 0) : 0,
  );
  return lanesOf(await systemFiles(), known, busy).map(({ files }, index) => [
    ...(index === laneCount - 1 ? [['--project=!system']] : []),
    // Without a file it would be all files.
    ...(files.length === 0 ? [] : [['--project=system', ...files]]),
  ]);
}

type Measured = { readonly selection: readonly string[]; readonly report?: Report | undefined };

/** Milliseconds of each file of the project `system`, and of all others together. */
function measured(runs: readonly Measured[]): Durations {
  const takes: Record<string, number> = {};
  for (const { selection, report } of runs) {
    if (report === undefined) continue;
    const inOrder = [...report.testResults].sort((a, b) => a.endTime - b.endTime);
    if (selection.includes('--project=!system')) {
      takes[others] = Math.round((inOrder.at(-1)?.endTime ?? 0) - report.startTime);
      continue;
    }
    // A report's start of a file leaves out its imports and what is made before all of its tests.
    for (const [index, { name, startTime, endTime }] of inOrder.entries()) {
      takes[relative(project, name)] = Math.round(endTime - (inOrder[index - 1]?.endTime ?? startTime));
    }
  }
  return Object.fromEntries(Object.entries(takes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function runAll(record: boolean): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'dormouse-results-'));
  try {
    const done = await Promise.all(
      (await lanes()).map(async (lane, laneIndex) => {
        const results = [];
        for (const [index, selection] of lane.entries()) {
          const file = join(directory, `${laneIndex}-${index}.json`);
          results.push({ selection, ...(await runOne(selection, file)) });
        }
        return results;
      }),
    );
    const runs = done.flat();
    if (record) await writeFile(recorded, `${JSON.stringify(measured(runs), undefined, 2)}\n`);
    const sum = (key: 'numPassedTests' | 'numFailedTests' | 'numPendingTests') =>
      runs.reduce((total, { report }) => total + (report?.[key] ?? 0), 0);
    for (const { trouble } of runs) if (trouble !== undefined) console.error(trouble);
    // A run that broke without a failed test counts as one, too.
    const broken = runs.filter(({ exitCode, report }) => exitCode !== 0 && !report?.numFailedTests);
    const failed = sum('numFailedTests') + broken.length;
    console.log(`${sum('numPassedTests')} passed, ${failed} failed, ${sum('numPendingTests')} skipped`);
    return Math.max(...runs.map(({ exitCode }) => exitCode));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const parameters = process.argv.slice(2);
const isAll = parameters.length === 0 || (parameters.length === 1 && parameters[0] === '--record');
const vitest = () =>
  execa('vitest', ['run', ...parameters], { preferLocal: true, stdio: 'inherit', reject: false });
process.exitCode = isAll ? await runAll(parameters.length === 1) : ((await vitest()).exitCode ?? 1);
