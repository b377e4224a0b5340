/** Times that `dormouse enrol` refuses before it talks to any system. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { createProgram } from '../../src/cli-program.js';

const enrol = (time: string) => {
  vi.stubEnv('DORMOUSE_GATEWAY', 'http://127.0.0.1:9');
  vi.stubEnv('DORMOUSE_TOKEN', 'a-token-that-is-never-sent');
  const program = createProgram().exitOverride();
  return program.parseAsync(['enrol', randomUUID(), `--last-active-at=${time}`], { from: 'user' });
};

it.each([
  '2026-02-30',
  '2026-02-30T00:00:00Z',
  '2026-13-01',
  '2026-01-31T08:00:00',
  '2',
  'yesterday',
  '',
])('--last-active-at %j: names the flag, the problem and the way out', async (time) => {
  await expect(enrol(time)).rejects.toThrow(/^--last-active-at: is no day or time that there is/);
});

it('no command reads a date by Date.parse, which takes 30 February for 2 March', async () => {
  const files = await readdir(join(projectDirectory, 'src'), { recursive: true });
  const commands = files.filter((file) => /commands?[.]ts$/.test(file));
  expect(commands.length).toBeGreaterThan(15);
  for (const file of commands) {
    const text = await readFile(join(projectDirectory, 'src', file), 'utf8');
    expect(text, file).not.toMatch(/Date\.parse\(/);
  }
});
