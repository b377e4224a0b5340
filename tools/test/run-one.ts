/** One run of vitest, with its report and, where it failed, what it said of that. */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { z } from 'zod';

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  /** Epoch milliseconds. */
  startTime: z.number(),
  /** By file. */
  testResults: z.array(z.object({ name: z.string(), startTime: z.number(), endTime: z.number() })),
});

export type Report = z.infer<typeof reportSchema>;

export interface Run {
  readonly exitCode: number;
  /** Absent where the run did not come to its end. */
  readonly report?: Report | undefined;
  /** Absent where all is well. */
  readonly trouble?: string;
}

/** As much of a run that failed as is told again at the end, where it is found: other lanes may have written much since. */
const lastLines = 80;
const telling = /FAIL|×|Error|left no results/;

/**
 * @param selection vitest's arguments
 * @param results where vitest writes its report
 */
export async function runOne(selection: readonly string[], results: string): Promise<Run> {
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
  const report = await readFile(results, 'utf8')
    .then((text) => reportSchema.parse(JSON.parse(text)))
    .catch(() => undefined);
  if (exitCode === 0 && report !== undefined) return { exitCode, report };
  const what = report === undefined ? 'left no results' : 'failed';
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
  return { exitCode: exitCode === 0 ? 1 : exitCode, report, trouble: trouble.join('\n') };
}
