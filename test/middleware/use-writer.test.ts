import type pg from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UseWriter } from '../../src/middleware/personal-tokens/use-writer.js';

const minute = 60_000;

/** PostgreSQL that can be away. Keeps what each statement wrote. */
function database() {
  const outside = {
    isAway: false,
    written: [] as [tokenId: string, at: number][][],
    errors: [] as unknown[],
  };
  const query = async (_text: string, [ids, ats]: [string[], Date[]]) => {
    if (outside.isAway) throw new Error('connection refused');
    outside.written.push(ids.map((id, nth) => [id, ats[nth]?.getTime() ?? 0]));
    return { rows: [] };
  };
  const writer = new UseWriter({ query } as unknown as pg.Pool, (error) => outside.errors.push(error));
  return { outside, writer };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('500 uses of one token at once are one write, of the latest', async () => {
  const { outside, writer } = database();
  for (let nth = 0; nth < 500; nth += 1) writer.note({ tokenId: 'a', at: nth }, 5 * minute);
  await vi.advanceTimersByTimeAsync(4 * minute);
  expect(outside.written).toEqual([[['a', 499]]]);
});

it('uses of many tokens at once are one statement', async () => {
  const { outside, writer } = database();
  for (const tokenId of ['a', 'b', 'c']) writer.note({ tokenId, at: 1 }, 5 * minute);
  await vi.advanceTimersByTimeAsync(minute);
  expect(outside.written).toHaveLength(1);
  expect(outside.written[0]).toHaveLength(3);
});

it('a token that is used all the time is written once a window, and its last use arrives', async () => {
  const { outside, writer } = database();
  for (let second = 0; second <= 19 * 60; second += 1) {
    writer.note({ tokenId: 'a', at: second * 1_000 }, 5 * minute);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(outside.written).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(5 * minute);
  expect(outside.written).toHaveLength(5);
  expect(outside.written.at(-1)).toEqual([['a', 19 * minute]]);
});

it('an outage is told, keeps what waits, and is over once', async () => {
  const { outside, writer } = database();
  outside.isAway = true;
  writer.note({ tokenId: 'a', at: 1 }, 5 * minute);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(outside.errors).toHaveLength(1);
  writer.note({ tokenId: 'a', at: 2 }, 5 * minute);
  expect(writer.latestUse('a')).toBe(2);
  outside.isAway = false;
  await vi.advanceTimersByTimeAsync(minute);
  expect(outside.written).toEqual([[['a', 2]]]);
});

it('a flush writes what is not due yet, and a close leaves nothing', async () => {
  const { outside, writer } = database();
  writer.note({ tokenId: 'a', at: 1 }, 5 * minute);
  await writer.flush();
  writer.note({ tokenId: 'a', at: 2 }, 5 * minute);
  await writer.close();
  expect(outside.written).toEqual([[['a', 1]], [['a', 2]]]);
  expect(writer.statementCount()).toBe(2);
});

it('the latest use is known before and after it is written', async () => {
  const { writer } = database();
  expect(writer.latestUse('a')).toBeUndefined();
  writer.note({ tokenId: 'a', at: 7 }, 5 * minute);
  expect(writer.latestUse('a')).toBe(7);
  await writer.flush();
  expect(writer.latestUse('a')).toBe(7);
});
