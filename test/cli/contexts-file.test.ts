/** The file of contexts: only its owner reads it, and it is replaced as a whole. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  changeContexts,
  checkedContextName,
  contextsPath,
  readContexts,
} from '../../src/cli/contexts-file.js';

let home: string;
let path: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'contexts-'));
  path = contextsPath({ XDG_CONFIG_HOME: home });
});
afterEach(() => rm(home, { recursive: true }));

const one = { gateway: 'https://desk.example', token: 'secret' };

describe('the file of contexts', () => {
  it('is below XDG_CONFIG_HOME, or below ~/.config where that is relative or not set', () => {
    expect(path).toBe(join(home, 'dormouse', 'contexts.json'));
    for (const XDG_CONFIG_HOME of ['', 'config', undefined])
      expect(contextsPath({ XDG_CONFIG_HOME })).toMatch(/\/\.config\/dormouse\/contexts\.json$/);
  });

  it('that is not there holds no context', async () => {
    expect(await readContexts(path)).toEqual({ contexts: {} });
  });

  it('is written for its owner only, and leaves nothing else behind', async () => {
    await changeContexts(path, () => ({ current: 'a', contexts: { a: one } }));
    await changeContexts(path, (known) => ({ ...known, contexts: { ...known.contexts, b: one } }));
    expect(await readContexts(path)).toEqual({ current: 'a', contexts: { a: one, b: one } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await readdir(dirname(path))).toEqual(['contexts.json']);
  });

  it('that others may read is refused, with the way out and without what it holds', async () => {
    await changeContexts(path, () => ({ contexts: { a: one } }));
    await chmod(path, 0o640);
    await expect(readContexts(path)).rejects.toThrow(/others may read it.*chmod 600/);
    await expect(readContexts(path)).rejects.not.toThrow(/secret/);
  });

  it.each([
    '{"contexts": {"a": {"token": "secret"}}}',
    'secret',
  ])('that is not one is refused: %s', async (text) => {
    await changeContexts(path, () => ({ contexts: {} }));
    await writeFile(path, text);
    await expect(readContexts(path)).rejects.toThrow(/is no file of contexts/);
    await expect(readContexts(path)).rejects.not.toThrow(/secret/);
  });

  it('keeps what it was where a change fails', async () => {
    await changeContexts(path, () => ({ contexts: { a: one } }));
    const before = await readFile(path, 'utf8');
    const fail = () => {
      throw new Error('no');
    };
    await expect(changeContexts(path, fail)).rejects.toThrow('no');
    expect(await readFile(path, 'utf8')).toBe(before);
  });
});

it.each([
  '',
  'a b',
  '-a',
  'a/b',
  '__proto__',
  'a\n',
  'x'.repeat(65),
])('%j is no name of a context', (name) => {
  expect(() => checkedContextName(name)).toThrow(/^--context: /);
});
