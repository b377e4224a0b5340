/** Which tests run before guards are taken out, and whose guards they speak for. */
import { expect, test } from 'vitest';
import type { Guard } from '../../tools/mutations/guard.js';
import { isSound, joinedSelections } from '../../tools/mutations/soundness.js';

const guard = (name: string, tests: readonly string[], only?: string): Guard => ({
  name,
  takenOut: 'left out',
  project: 'system',
  tests,
  ...(only === undefined ? {} : { only }),
});
const titled = guard('a', ['test/a.test.ts'], 'is kept|stays');

test('tests chosen by title run together, and so do whole files', () => {
  const all = [
    titled,
    guard('b', ['test/b.test.ts', 'test/a.test.ts'], 'once'),
    guard('c', ['test/c.test.ts']),
  ];
  expect(joinedSelections(all)).toEqual([
    { project: 'system', tests: ['test/a.test.ts', 'test/b.test.ts'], only: '(?:is kept|stays)|(?:once)' },
    { project: 'system', tests: ['test/c.test.ts'] },
  ]);
});

test.each<[string, boolean, string[], string[]]>([
  ['a test of it passed', true, ['test/a.test.ts › a row stays'], ['test/b.test.ts › a row stays']],
  ['one of its tests failed', false, ['test/a.test.ts › a row stays'], ['test/a.test.ts › it is kept']],
  ['none of its tests ran', false, ['test/a.test.ts › another', 'test/b.test.ts › it stays'], []],
])('a guard where %s: sound is %s', (_title, sound, passed, failed) => {
  expect(isSound(titled, { passed, failed })).toBe(sound);
});
