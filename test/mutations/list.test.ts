/** The list of guards keeps up with the code: each guard has one mark in the sources, and each mark has one guard. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { guards } from '../../tools/mutations/list.js';
import { readMarks } from '../../tools/mutations/marks.js';
import { takeOut } from '../../tools/mutations/take-out.js';

const marks = await readMarks(projectDirectory);

test.each(guards.map((guard) => [guard.name, guard] as const))('%s', async (name, guard) => {
  const own = marks.filter((mark) => mark.name === name);
  expect(own, `"guard: ${name}" stands once in src`).toHaveLength(1);
  const [mark] = own;
  if (mark === undefined) return;
  const text = await readFile(join(projectDirectory, mark.file), 'utf8');
  // Throws where nothing changes, or what is left is no TypeScript.
  expect(takeOut(mark, text, guard.takenOut)).not.toBe(text);
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

test('each mark in src has a guard in tools/mutations', () => {
  const names = new Set(guards.map(({ name }) => name));
  expect(marks.filter(({ name }) => !names.has(name))).toEqual([]);
});

test('each guard has a name of its own', () => {
  expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
});
