/** The lanes of `npm test`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { lanesOf } from '../../tools/test/lanes.js';

describe('lanes', () => {
  it('the longest file goes first, each next one where time is left', () => {
    const lanes = lanesOf(['a', 'b', 'c', 'd'], { a: 50, b: 40, c: 30, d: 20 }, [0, 0]);
    expect(lanes).toEqual([
      { files: ['a', 'd'], takesMs: 70 },
      { files: ['b', 'c'], takesMs: 70 },
    ]);
  });

  it('a lane that is busy with something else gets less', () => {
    expect(lanesOf(['a', 'b'], { a: 10, b: 10 }, [0, 25]).map(({ files }) => files)).toEqual([
      ['a', 'b'],
      [],
    ]);
  });

  it('a file without a duration counts as the median', () => {
    const [lane] = lanesOf(['new'], { a: 10, b: 30, c: 50 }, [0]);
    expect(lane?.takesMs).toBe(30);
  });

  it('every file is in exactly one lane, whatever the order and the durations', () => {
    const files = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 });
    const cases = fc.record({ files, busy: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 4 }) });
    fc.assert(
      fc.property(cases, fc.func(fc.nat(1_000)), ({ files, busy }, durationOf) => {
        const durations = Object.fromEntries(files.map((file) => [file, durationOf(file)]));
        const lanes = lanesOf(files, durations, busy);
        expect(lanes.flatMap((lane) => lane.files).sort()).toEqual([...files].sort());
        expect(lanesOf([...files].reverse(), durations, busy)).toEqual(lanes);
      }),
    );
  });
});

it('durations are recorded of files that exist', async () => {
  const recorded = JSON.parse(await readFile(join(projectDirectory, 'tools/test/durations.json'), 'utf8'));
  const below = (folder: string) => readdir(join(projectDirectory, folder));
  const folders = ['test/integration', 'test/workflows'];
  const files = (
    await Promise.all(folders.map(async (folder) => (await below(folder)).map((name) => `${folder}/${name}`)))
  ).flat();
  expect(Object.keys(recorded).filter((file) => !files.includes(file) && file !== 'other projects')).toEqual(
    [],
  );
});
