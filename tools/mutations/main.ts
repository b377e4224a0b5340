/**
 * `npm run test:mutations`: takes each guard out of a copy of the checkout, runs the tests that must notice, and writes
 * which of them did into docs/reliability.md. Arguments select guards by a part of their name, file or project.
 */
import { z } from 'zod';
import { projectDirectory } from '../../dev/stack/project.js';
import { readFigures, table, writeFigures, writeSection } from '../reliability/document.js';
import { Checkout } from './checkout.js';
import type { Guard } from './guard.js';
import { guards } from './list.js';
import { readMarks } from './marks.js';
import { runTests } from './run-tests.js';
import { soundGuards } from './soundness.js';

const verdictSchema = z.object({
  guard: z.string(),
  file: z.string(),
  /** `caught`: a test failed. `survived`: all passed. `no-test`: none ran, before or after. */
  verdict: z.enum(['caught', 'survived', 'no-test']),
  by: z.array(z.string()),
});
type Verdict = z.infer<typeof verdictSchema>;

const wanted = process.argv.slice(2);
const marks = new Map((await readMarks(projectDirectory)).map((mark) => [mark.name, mark]));
const selected = guards
  .map((guard) => ({ guard, file: fileOf(guard) }))
  .filter(
    ({ guard: { name, project }, file }) =>
      wanted.length === 0 || wanted.some((word) => `${project} ${file} ${name}`.includes(word)),
  );
const checkout = await Checkout.copy();
try {
  const verdicts: Verdict[] = [];
  const sound = await soundGuards(
    checkout.directory,
    selected.map(({ guard }) => guard),
  );
  for (const { guard, file } of selected) {
    const verdict = sound.has(guard.name)
      ? await judge(guard, file)
      : { guard: guard.name, file, verdict: 'no-test' as const, by: [] };
    verdicts.push(verdict);
    console.log(`${verdict.verdict.padEnd(8)} ${guard.name} ${verdict.by.join('; ')}`);
    await report(verdicts);
  }
  const uncaught = verdicts.filter(({ verdict }) => verdict !== 'caught');
  console.log(`${verdicts.length - uncaught.length} of ${verdicts.length} guards are held by a test`);
  if (uncaught.length > 0) process.exitCode = 1;
} finally {
  await checkout.remove();
}

function fileOf({ name }: Guard): string {
  const mark = marks.get(name);
  if (mark === undefined) throw new Error(`no code in src is marked with "guard: ${name}"`);
  return mark.file;
}

/** The guard is out, and its tests run. */
async function judge(guard: Guard, file: string): Promise<Verdict> {
  const { name } = guard;
  const { failed, passed, output } = await checkout.without(guard, file, () =>
    runTests(checkout.directory, guard, true),
  );
  if (failed.length > 0) return { guard: name, file, verdict: 'caught', by: failed.slice(0, 1) };
  if (passed.length === 0) console.error(output.slice(-3_000));
  return { guard: name, file, verdict: passed.length === 0 ? 'no-test' : 'survived', by: [] };
}

/** Figures of guards that were not selected are kept; those of guards that are no more are dropped. */
async function report(verdicts: readonly Verdict[]): Promise<void> {
  const before = z.array(verdictSchema).safeParse(await readFigures('mutations')).data ?? [];
  const latest = new Map([...before, ...verdicts].map((verdict) => [verdict.guard, verdict]));
  const all = guards.flatMap((guard) => {
    const verdict = latest.get(guard.name);
    return verdict === undefined ? [] : [{ ...verdict, file: fileOf(guard) }];
  });
  await writeFigures('mutations', all);
  const caught = all.filter(({ verdict }) => verdict === 'caught').length;
  const rows = all.map(({ guard, file, verdict, by }) => [
    guard,
    `\`${file}\``,
    verdict === 'caught' ? by.join('; ') : `**${verdict}**`,
  ]);
  await writeSection(
    'mutations',
    `${caught} of ${guards.length} guards: taken out, a test fails.\n\n${table(['guard', 'in', 'the test that failed'], rows)}`,
  );
}
