/** The list of guards keeps up with the code: a guard that moved or changed must be moved or changed there as well. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { guards } from '../../tools/mutations/list.js';

test.each(guards.map((guard) => [guard.name, guard] as const))('%s', async (_name, guard) => {
  const text = await readFile(join(projectDirectory, guard.file), 'utf8');
  expect(text.split(guard.find), `${guard.file}: the text occurs once`).toHaveLength(2);
  expect(guard.replace).not.toBe(guard.find);
  for (const file of guard.tests) await access(join(projectDirectory, file));
  const { only } = guard;
  if (only === undefined) return;
  // A pattern that matches no title would run no test, and nothing could fail. A word of a title may come from a table.
  const texts = await Promise.all(guard.tests.map((file) => readFile(join(projectDirectory, file), 'utf8')));
  const parts = only.split('|').flatMap((alternative) => alternative.split(/\.\*/));
  const titles = parts.map(
    (part) =>
      new RegExp(
        part
          .split(' ')
          .map((word) => `(?:${word}|[%$]\\S+)`)
          .join(' '),
      ),
  );
  const isNamed = titles.some((title) => texts.some((source) => title.test(source)));
  expect(isNamed, `"${only}" is in a title of ${guard.tests.join(', ')}`).toBe(true);
});

test('each guard has a name of its own', () => {
  expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
});
