/** A process' pacer: who takes the next place, on an injected clock. */
import { describe, expect, it } from 'vitest';
import type { PaceReport, Places } from '../../src/domain/pace/pace.js';
import { type CallPacer, createCallPacer } from '../../src/pacing/call-pacer.js';
import { type Urgency, withUrgency } from '../../src/process/urgency.js';

const tenASecond: Places = { count: 1, firstInMs: 100, everyMs: 100, pausedForMs: 0 };

function open(take: (report: PaceReport, wanted: number) => Places = () => tenASecond) {
  let now = 0;
  const errors: unknown[] = [];
  const reports: PaceReport[] = [];
  const pacer = createCallPacer({
    system: 'Kratos',
    take: async (report, wanted) => {
      reports.push(report);
      return { places: take(report, wanted), rate: 10 };
    },
    firstRate: 10,
    onError: (error) => errors.push(error),
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  });
  return { pacer, reports, errors, now: () => now };
}

/** Asks for a place for each, and notes in which order they get it. */
async function orderOf(pacer: CallPacer, work: readonly (readonly [string, Urgency])[]): Promise<string[]> {
  const order: string[] = [];
  await Promise.all(
    work.map(([name, urgency]) =>
      withUrgency(urgency, async () => {
        await pacer.place();
        order.push(name);
      }),
    ),
  );
  return order;
}

it('gives places at the pace of the installation', async () => {
  const { pacer, now } = open();
  await orderOf(pacer, [
    ['1', 'step'],
    ['2', 'step'],
    ['3', 'step'],
  ]);
  expect(now()).toBe(300);
});

it('gives a place in hand at once, one call after the other', async () => {
  const { pacer, reports, now } = open(() => ({ ...tenASecond, count: 3, firstInMs: -250 }));
  for (const _ of [1, 2, 3, 4]) await pacer.place();
  expect(reports).toHaveLength(2);
  expect(now()).toBe(0);
});

it('gives the place that is due to a person before steps, and to steps before sweeps', async () => {
  const { pacer } = open();
  const order = await orderOf(pacer, [
    ['sweep', 'sweep'],
    ['step', 'step'],
    ['person', 'person'],
  ]);
  expect(order).toEqual(['person', 'step', 'sweep']);
});

it('finishes a step that has begun before it begins another', async () => {
  const { pacer } = open();
  const order: string[] = [];
  const step = (name: string) =>
    withUrgency('step', async () => {
      for (const call of ['look', 'act']) {
        await pacer.place();
        order.push(`${name} ${call}`);
      }
    });
  await Promise.all(['a', 'b', 'c'].map(step));
  expect(order).toEqual(['a look', 'a act', 'b look', 'b act', 'c look', 'c act']);
});

it('gives one place in five to the least urgent', async () => {
  const { pacer } = open();
  const persons = Array.from({ length: 9 }, (_, index) => [`person ${index}`, 'person'] as const);
  const order = await orderOf(pacer, [['sweep', 'sweep'], ...persons]);
  expect(order.indexOf('sweep')).toBe(4);
});

describe('an answer', () => {
  it('429 drops the places in hand, and is told at once with its Retry-After', async () => {
    const { pacer, reports } = open(() => ({ ...tenASecond, count: 5 }));
    await pacer.place();
    pacer.answered({ operation: 'get', tookMs: 5, status: 429, retryAfterMs: 7_000 });
    expect(reports.at(-1)).toEqual({ answers: 1, slow: 0, refused: 1, retryAfterMs: 7_000 });
    const asked = reports.length;
    await pacer.place();
    expect(reports).toHaveLength(asked + 1);
    expect(pacer.figures()).toEqual({ rate: 10, waiting: 0, refused: 1, slow: 0 });
  });

  it('that is good is told with the next places', async () => {
    const { pacer, reports } = open();
    await pacer.place();
    pacer.answered({ operation: 'get', tookMs: 5, status: 200 });
    await pacer.place();
    expect(reports.at(-1)).toEqual({ answers: 1, slow: 0, refused: 0, retryAfterMs: 0 });
  });
});

describe('a pause', () => {
  it('of a few seconds is waited for', async () => {
    let left = 3;
    const paused = { count: 0, firstInMs: 4_000, everyMs: 100, pausedForMs: 4_000 };
    const { pacer, now } = open(() => (left-- > 0 ? paused : tenASecond));
    await pacer.place();
    expect(now()).toBe(850);
  });

  it('of more ends the attempt, which is tried again after it', async () => {
    const { pacer } = open(() => ({ count: 0, firstInMs: 9_000, everyMs: 100, pausedForMs: 9_000 }));
    await expect(pacer.place()).rejects.toMatchObject({
      type: 'KratosBusy',
      nextRetryDelay: 9_000,
      nonRetryable: false,
    });
  });
});

it('goes on at the last rate while the table is away, and tells later what it saw', async () => {
  let isAway = false;
  const { pacer, reports, errors, now } = open(() => {
    if (isAway) throw new Error('PostgreSQL is away');
    return tenASecond;
  });
  await pacer.place();
  isAway = true;
  pacer.answered({ operation: 'get', tookMs: 5, status: 200 });
  await pacer.place();
  isAway = false;
  await pacer.place();
  expect(errors).toHaveLength(1);
  expect(reports.at(-1)?.answers).toBe(1);
  expect(now()).toBe(300);
});
