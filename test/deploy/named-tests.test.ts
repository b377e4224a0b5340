/** Documents name tests as evidence (`file.test.ts`: "title"). They exist. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';

interface Named {
  readonly document: string;
  readonly file: string;
  readonly title: string;
}

/** In one row of a table, quoted titles belong to the file that is named last before them. */
function namedIn(document: string, text: string): Named[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|') && line.includes('.test.ts`'));
  return rows.flatMap((row) => {
    const named: Named[] = [];
    let file: string | undefined;
    for (const [, found, title] of row.matchAll(/`([a-z0-9-]+\.test\.ts)`|"([^"]+)"/g)) {
      if (found !== undefined) file = found;
      else if (file !== undefined && title !== undefined) named.push({ document, file, title });
    }
    return named;
  });
}

async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(join(projectDirectory, folder), { recursive: true });
  return entries.filter((name) => name.endsWith(ending)).map((name) => join(projectDirectory, folder, name));
}

const documents = await filesBelow('docs', '.md');
const named = (
  await Promise.all(documents.map(async (path) => namedIn(basename(path), await readFile(path, 'utf8'))))
).flat();

it('documents name tests', () => {
  expect(named.filter(({ document }) => document === 'idle-sessions.md').length).toBeGreaterThan(25);
});

const isQuotedIn = (source: string, title: string) =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));

it.each(named)('$document names "$title" of $file, which exists', async ({ file, title }) => {
  const sources = (await filesBelow('test', '.test.ts')).filter((path) => basename(path) === file);
  const texts = await Promise.all(sources.map((path) => readFile(path, 'utf8')));
  expect(texts.some((text) => isQuotedIn(text, title))).toBe(true);
});
