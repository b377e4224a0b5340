/** The counts of a worker's passes. */
import { expect, test } from 'vitest';
import { doEach, unlessNothing } from '../../src/process/passes.js';

test('an item that fails keeps no other back: things done and failures are counted', async () => {
  const seen: number[] = [];
  const outcome = await doEach([1, 2, 3], async (item) => {
    seen.push(item);
    if (item === 2) throw new Error('this one fails');
    return item;
  });
  expect(seen).toEqual([1, 2, 3]);
  expect(outcome).toEqual({ done: 4, failed: 1 });
});

test('ten thousand items are ten at once', async () => {
  let underWay = 0;
  let most = 0;
  const items = Array.from({ length: 10_000 }, (_, index) => index);
  const outcome = await doEach(items, async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await Promise.resolve();
    underWay -= 1;
    return 1;
  });
  expect(outcome).toEqual({ done: 10_000, failed: 0 });
  expect(most).toBe(10);
});

test.each([
  ['all counts 0', { told: 0, failed: 0 }, undefined],
  ['no count', {}, undefined],
  ['a failure alone', { told: 0, failed: 1 }, { told: 0, failed: 1 }],
])('%s: a pass did something or nothing', (_title, counts, expected) => {
  expect(unlessNothing(counts)).toEqual(expected);
});
