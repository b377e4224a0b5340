/**
 * `npm test`: all tests, in three lanes side by side, each run with servers of its own. The files of a run go one after the other,
 * and part of that is waiting. With arguments it is `vitest run` with these. Ends with "N passed, N failed, N skipped".
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';

/** First letters of the files of `system` that go in the first and in the second lane, so that all three take about the same time. */
const integration = { first: 'a-i' };
const workflows = { first: 'r-z', second: 'l' };

/** A run of the files of one folder whose names begin with one of the letters; of the others where `letters` begins with `!`. */
const system = (folder: 'integration' | 'workflows', letters: string): readonly string[] => {
  const others = letters.startsWith('!') ? letters.slice(1) : `!${letters}`;
  return ['--project=system', `test/${folder}/`, `--exclude=test/${folder}/[${others}]*`];
};

/** The runs of each lane, as vitest's arguments. Every test is in exactly one, whatever projects and files there are. */
const lanes: readonly (readonly string[])[][] = [
  [system('integration', integration.first), system('workflows', workflows.first)],
  [system('integration', `!${integration.first}`), system('workflows', workflows.second)],
  [['--project=!system'], system('workflows', `!${workflows.first}${workflows.second}`)],
];

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
});

const vitest = (parameters: readonly string[]) =>
  execa('vitest', ['run', ...parameters], { preferLocal: true, stdio: 'inherit', reject: false });

/** As much of a run that failed as is told again at the end, where it is found: other lanes may have written much since. */
const lastLines = 80;
const telling = /FAIL|×|Error|left no results/;

/** @returns its counts; without them where it did not come to its end */
async function runOne(selection: readonly string[], results: string) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const {
    exitCode = 1,
    signal,
    all,
  } = await execa('vitest', ['run', ...selection, ...reporters], {
    preferLocal: true,
    stdin: 'inherit',
    stdout: ['inherit', 'pipe'],
    stderr: ['inherit', 'pipe'],
    all: true,
    reject: false,
  });
  const counts = await readFile(results, 'utf8')
    .then((text) => report.parse(JSON.parse(text)))
    .catch(() => undefined);
  if (exitCode === 0 && counts !== undefined) return { exitCode, counts };
  const what = counts === undefined ? 'left no results' : 'failed';
  const how = signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`;
  const lines = all.split('\n');
  const trouble = [
    `vitest run ${selection.join(' ')} ${what} (${how}). What it said of failures, and its last lines:`,
    ...lines
      .slice(0, -lastLines)
      .filter((line) => telling.test(line))
      .slice(0, lastLines),
    '…',
    ...lines.slice(-lastLines),
  ];
  return { exitCode: exitCode === 0 ? 1 : exitCode, counts, trouble: trouble.join('\n') };
}

async function runAll(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'dormouse-results-'));
  try {
    const done = await Promise.all(
      lanes.map(async (lane, laneIndex) => {
        const results = [];
        for (const [index, selection] of lane.entries()) {
          results.push(await runOne(selection, join(directory, `${laneIndex}-${index}.json`)));
        }
        return results;
      }),
    );
    const runs = done.flat();
    const sum = (key: keyof z.infer<typeof report>) =>
      runs.reduce((total, { counts }) => total + (counts?.[key] ?? 0), 0);
    for (const { trouble } of runs) if (trouble !== undefined) console.error(trouble);
    // A run that broke without a failed test counts as one, too.
    const broken = runs.filter(({ exitCode, counts }) => exitCode !== 0 && !counts?.numFailedTests);
    const failed = sum('numFailedTests') + broken.length;
    console.log(`${sum('numPassedTests')} passed, ${failed} failed, ${sum('numPendingTests')} skipped`);
    return Math.max(...runs.map(({ exitCode }) => exitCode));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const parameters = process.argv.slice(2);
process.exitCode = parameters.length === 0 ? await runAll() : ((await vitest(parameters)).exitCode ?? 1);
