import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ActivityBufferOptions, SignBuffer } from '../../src/signs/buffer.js';
import type { IdentitySign } from '../../src/signs/identity-sign.js';

function sign(identityId: string, at: number, kind: IdentitySign['kind'] = 'human'): IdentitySign {
  return { identityId, at, kind, source: 'test' };
}

/** A buffer that never flushes by itself within a test, and the batches it handed on. */
function bufferOf(options: Partial<ActivityBufferOptions> = {}) {
  const batches: (readonly IdentitySign[])[] = [];
  const buffer = new SignBuffer({
    flush: async (signs) => {
      batches.push(signs);
    },
    intervalMs: 3_600_000,
    maxPending: 1_000,
    maxBatch: 1_000,
    ...options,
  });
  return { buffer, batches };
}

describe('signs of life in memory', () => {
  it('the newest sign of an identity and kind replaces older ones, whatever their order', async () => {
    const { buffer, batches } = bufferOf();
    for (const at of [2, 3, 1]) buffer.add(sign('a', at));
    buffer.add(sign('a', 1, 'token'));
    await buffer.flush();
    expect(batches).toEqual([[sign('a', 3), sign('a', 1, 'token')]]);
    expect(buffer.counters()).toMatchObject({ added: 4, superseded: 2, dropped: 0, pending: 0 });
  });

  it('memory is bounded: the oldest entry makes room, and is counted', async () => {
    const { buffer, batches } = bufferOf({ maxPending: 2 });
    for (const id of ['a', 'b', 'c']) buffer.add(sign(id, 1));
    expect(buffer.counters()).toMatchObject({ dropped: 1, pending: 2 });
    buffer.add(sign('c', 2));
    expect(buffer.counters()).toMatchObject({ dropped: 1, superseded: 1 });
    await buffer.flush();
    expect(batches.flat().map(({ identityId, at }) => `${identityId}${at}`)).toEqual(['b1', 'c2']);
  });

  it('signs that could not be handed on are kept, unless a newer one came in', async () => {
    let fails = true;
    const handedOn: IdentitySign[] = [];
    const { buffer } = bufferOf({
      flush: async (signs) => {
        if (fails) {
          buffer.add(sign('a', 9));
          buffer.add(sign('c', 1));
          throw new Error('away');
        }
        handedOn.push(...signs);
      },
    });
    buffer.add(sign('a', 1));
    buffer.add(sign('b', 1));
    buffer.add(sign('c', 5));
    await expect(buffer.flush()).rejects.toThrow('away');
    fails = false;
    await buffer.flush();
    expect(handedOn.map(({ identityId, at }) => `${identityId}${at}`).sort()).toEqual(['a9', 'b1', 'c5']);
    expect(buffer.counters()).toMatchObject({
      ...{ added: 5, superseded: 2, failedFlushes: 1, dropped: 0, pending: 0 },
    });
  });

  it('batches are bounded, and one is under way at a time', async () => {
    let underWay = 0;
    let most = 0;
    const sizes: number[] = [];
    const { buffer } = bufferOf({
      maxBatch: 2,
      flush: async (signs) => {
        underWay += 1;
        most = Math.max(most, underWay);
        sizes.push(signs.length);
        await Promise.resolve();
        underWay -= 1;
      },
    });
    for (const id of ['a', 'b', 'c', 'd', 'e']) buffer.add(sign(id, 1));
    await Promise.all([buffer.flush(), buffer.flush()]);
    expect(sizes).toEqual([2, 2, 1]);
    expect(most).toBe(1);
  });

  it('a sign that comes while a batch is under way is in the next one', async () => {
    let release: () => void = () => undefined;
    const batches: string[][] = [];
    const { buffer } = bufferOf({
      flush: (signs) =>
        new Promise((resolve) => {
          batches.push(signs.map(({ identityId }) => identityId));
          release = resolve;
        }),
    });
    buffer.add(sign('a', 1));
    const first = buffer.flush();
    await Promise.resolve();
    buffer.add(sign('b', 1));
    const second = buffer.flush();
    release();
    await first;
    await expect.poll(() => batches.length).toBe(2);
    release();
    await second;
    expect(batches).toEqual([['a'], ['b']]);
  });

  it('closing hands on the remaining signs', async () => {
    const { buffer, batches } = bufferOf();
    buffer.add(sign('a', 1));
    await buffer.close();
    expect(batches).toHaveLength(1);
  });

  it('a failed batch rejects the report of each of its signs', async () => {
    const { buffer } = bufferOf({
      flush: async () => {
        await Promise.resolve();
        throw new Error('away');
      },
    });
    const reports = ['a', 'b', 'c'].map((id) => {
      buffer.add(sign(id, 1));
      return buffer.flush();
    });
    const outcomes = await Promise.allSettled(reports);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(buffer.counters().pending).toBe(3);
  });
});

describe('signs lost with a process', () => {
  afterEach(() => void vi.useRealTimers());

  it('are those of one interval and of the batch under way: no sign waits for a second interval', async () => {
    vi.useFakeTimers();
    const ends: (() => void)[] = [];
    const begun: string[][] = [];
    const { buffer } = bufferOf({
      intervalMs: 200,
      flush: (signs) => {
        begun.push(signs.map(({ identityId }) => identityId));
        return new Promise((resolve) => ends.push(resolve));
      },
    });
    buffer.add(sign('a', 1));
    await vi.advanceTimersByTimeAsync(200);
    buffer.add(sign('b', 1));
    await vi.advanceTimersByTimeAsync(200);
    expect(begun).toEqual([['a']]);
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual([['a'], ['b']]);
  });
});

describe('a batch that fails', () => {
  afterEach(() => void vi.useRealTimers());

  it('is tried again after pauses that double up to the longest, and begin anew after one that succeeds', async () => {
    vi.useFakeTimers();
    const at: number[] = [];
    let isAway = true;
    const { buffer } = bufferOf({
      intervalMs: 100,
      longestBackOffMs: 500,
      flush: async () => {
        at.push(Date.now());
        if (isAway) throw new Error('away');
      },
    });
    const begin = Date.now();
    buffer.add(sign('a', 1));
    await vi.advanceTimersByTimeAsync(1_700);
    const pauses = at.map((time, index) => time - (at[index - 1] ?? begin));
    expect(pauses).toEqual([100, 200, 400, 500, 500]);
    isAway = false;
    await vi.advanceTimersByTimeAsync(500);
    isAway = true;
    buffer.add(sign('b', 1));
    await vi.advanceTimersByTimeAsync(300);
    expect(at.slice(-2).map((time) => time - (at[5] ?? 0))).toEqual([100, 300]);
  });
});
