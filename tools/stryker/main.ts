/**
 * `npm run test:stryker`: mutates pure rules, runs the unit tests that import them, and writes into docs/reliability.md
 * how many mutants of each file were noticed. Arguments are files, or patterns as `src/domain/tokens/*.ts`; without
 * any, all files of stryker.config.mjs. Exit 1 below the threshold there.
 */
import { relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { z } from 'zod';
import { projectDirectory } from '../../dev/stack/project.js';
import { readFigures, table, writeFigures, writeSection } from '../reliability/document.js';

const figuresSchema = z.object({
  file: z.string(),
  noticed: z.number(),
  survived: z.number(),
  /** Mutants that no test reaches. */
  unreached: z.number(),
  /** The day, in UTC. */
  on: z.string(),
});
type Figures = z.infer<typeof figuresSchema>;

const files = process.argv.slice(2);
const results = await new Stryker(files.length > 0 ? { mutate: files } : {}).runMutationTest();

const byFile = new Map<string, Figures>();
for (const { fileName, status } of results) {
  const file = relative(projectDirectory, fileName);
  const before = byFile.get(file) ?? { file, noticed: 0, survived: 0, unreached: 0, on: today() };
  if (status === 'Killed' || status === 'Timeout')
    byFile.set(file, { ...before, noticed: before.noticed + 1 });
  if (status === 'Survived') byFile.set(file, { ...before, survived: before.survived + 1 });
  if (status === 'NoCoverage') byFile.set(file, { ...before, unreached: before.unreached + 1 });
}
if (byFile.size > 0) await report([...byFile.values()]);

/** Figures of files that were not mutated this time are kept. */
async function report(measured: readonly Figures[]): Promise<void> {
  const before = z.array(figuresSchema).safeParse(await readFigures('stryker')).data ?? [];
  const latest = new Map([...before, ...measured].map((one) => [one.file, one]));
  const all = [...latest.values()].sort((a, b) => a.file.localeCompare(b.file));
  await writeFigures('stryker', all);
  const noticed = all.reduce((sum, one) => sum + one.noticed, 0);
  const mutants = all.reduce((sum, one) => sum + mutantsOf(one), 0);
  const rows = all.map((one) => [
    `\`${one.file}\``,
    `${one.noticed} of ${mutantsOf(one)}`,
    one.survived,
    one.unreached,
    one.on,
  ]);
  await writeSection(
    'stryker',
    `${noticed} of ${mutants} mutants in ${all.length} files make a test fail.\n\n${table(['file', 'noticed', 'survived', 'reached by no test', 'measured'], rows)}`,
  );
}

function mutantsOf({ noticed, survived, unreached }: Figures): number {
  return noticed + survived + unreached;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
