/** Writes the figures that the full form of the fault harness kept into docs/reliability.md. Shares of a part that are complete become one. */
import { readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { figuresFile, readFigures, table, writeFigures, writeSection } from './document.js';
import { type Figures, figuresSchema, haveStruck, joined, missingShares, triedOf } from './figures.js';

const names = (await readdir(dirname(figuresFile('any'))))
  .filter((name) => /^faults-.*\.json$/.test(name))
  .map((name) => name.replace('.json', ''))
  .sort();
const whole = new Map<string, Figures>();
const shares = new Map<string, { name: string; figures: Figures }[]>();
for (const name of names) {
  const figures = figuresSchema.parse(await readFigures(name));
  if (figures.share === undefined) whole.set(figures.part, figures);
  else shares.set(figures.part, [...(shares.get(figures.part) ?? []), { name, figures }]);
}
for (const [part, files] of shares) {
  const missing = missingShares(files.map(({ figures }) => figures));
  if (missing.length > 0) {
    console.error(`${part}: the figures of before stay, because shares are missing: ${missing.join(', ')}`);
    continue;
  }
  const figures = joined(files.map((file) => file.figures));
  if (!haveStruck(figures)) {
    console.error(
      `${part}: the figures of before stay, because only ${figures.faults} of ${triedOf(figures)} struck`,
    );
    process.exitCode = 1;
    continue;
  }
  await writeFigures(`faults-${part}`, figures);
  for (const { name } of files) await rm(figuresFile(name));
  whole.set(part, figures);
}
const parts = [...whole.values()].sort((a, b) => (a.part < b.part ? -1 : 1));
const overview = table(
  [
    ...['part', 'tried', 'measured', 'steps', 'faults', 'wrongful', 'missed', 'stuck'],
    ...['duplicate mails', 'personal data left'],
  ],
  parts.map((one) => [
    one.part,
    triedOf(one),
    one.measured ?? 'by an older build',
    one.steps,
    one.faults,
    one.wrongful,
    one.missed,
    one.stuck,
    one.duplicateMails,
    one.leftovers ?? 'not searched',
  ]),
);
const notes = parts.flatMap(({ part, notes: all }) => all.map((note) => `- ${part}: ${note}`));
const kinds = parts.flatMap(({ part, byKind }) =>
  byKind === undefined
    ? []
    : [
        `- ${part}: ${Object.entries(byKind)
          .map(([kind, times]) => `${kind} × ${times}`)
          .join(', ')}`,
      ],
);
await writeSection(
  'faults',
  [overview, notes.join('\n'), 'Faults by kind:', kinds.join('\n')]
    .filter((text) => text !== '')
    .join('\n\n'),
);
