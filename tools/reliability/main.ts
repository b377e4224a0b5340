/** Writes the figures that the full form of the fault harness kept into docs/reliability.md. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { figuresFile, readFigures, table, writeSection } from './document.js';

const figuresSchema = z.object({
  part: z.string(),
  tried: z.string(),
  steps: z.number(),
  faults: z.number(),
  wrongful: z.number(),
  missed: z.number(),
  stuck: z.number(),
  duplicateMails: z.number(),
  leftovers: z.number().optional(),
  byKind: z.record(z.string(), z.number()).optional(),
  notes: z.array(z.string()),
});
type Figures = z.infer<typeof figuresSchema>;

const files = await readdir(dirname(figuresFile('any')));
const parts: Figures[] = [];
for (const file of files.filter((name) => /^faults-.*\.json$/.test(name)).sort()) {
  parts.push(figuresSchema.parse(await readFigures(file.replace('.json', ''))));
}
const overview = table(
  [
    'part',
    'tried',
    'steps',
    'faults',
    'wrongful',
    'missed',
    'stuck',
    'duplicate mails',
    'personal data left',
  ],
  parts.map((one) => [
    one.part,
    one.tried,
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
          .map(([kind, count]) => `${kind} × ${count}`)
          .join(', ')}`,
      ],
);
await writeSection(
  'faults',
  [overview, notes.join('\n'), 'Faults by kind:', kinds.join('\n')]
    .filter((text) => text !== '')
    .join('\n\n'),
);
