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
});

test('each guard has a name of its own', () => {
  expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
});
