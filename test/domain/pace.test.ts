/** The pace of calls to an outside system: how it rises, falls and pauses. */
import { describe, expect, it } from 'vitest';
import { createUsualLatency } from '../../src/domain/pace/latency.js';
import { firstPace, givePlaces, nothingSeen, type PaceReport } from '../../src/domain/pace/pace.js';

const limits = { least: 1, first: 100, most: 400 };
const start = 1_000_000;
const seen = (some: Partial<PaceReport>): PaceReport => ({ ...nothingSeen, ...some });
const at = (rate: number, some: object = {}) => ({ ...firstPace(limits), rate, ...some });

describe('places', () => {
  it('follow one another at the rate, for all who ask', () => {
    const one = givePlaces(at(400), nothingSeen, 3, limits, start);
    const other = givePlaces(one.pace, nothingSeen, 1, limits, start);
    expect(one.places).toEqual({ count: 3, firstInMs: 0, everyMs: 2.5, pausedForMs: 0 });
    expect(other.places.firstInMs).toBeCloseTo(7.5);
  });

  it('are given for a quarter of a second, and none beyond', () => {
    const one = givePlaces(at(400), nothingSeen, 1_000, limits, start);
    expect(one.places.count).toBe(100);
    expect(givePlaces(one.pace, nothingSeen, 1, limits, start).places).toMatchObject({
      count: 0,
      firstInMs: 250,
    });
  });

  it('that nobody took are not saved up', () => {
    const one = givePlaces(at(400, { nextAt: start - 60_000 }), nothingSeen, 1_000, limits, start);
    expect(one.places).toMatchObject({ count: 100, firstInMs: 0 });
  });

  it('come one at a time at less than four a second', () => {
    expect(givePlaces(at(1), nothingSeen, 9, { ...limits, most: 1 }, start).places).toMatchObject({
      count: 1,
      everyMs: 1_000,
    });
  });
});

describe('the rate', () => {
  it('rises by a tenth of the first rate in each second in which calls wait, however many workers ask', () => {
    let pace = at(100, { changedAt: start });
    for (let ms = 0; ms <= 3_000; ms += 50)
      pace = givePlaces(pace, nothingSeen, 100, limits, start + ms).pace;
    expect(pace.rate).toBeCloseTo(130);
  });

  it('stays where no call waits', () => {
    expect(givePlaces(at(100), nothingSeen, 5, limits, start).pace.rate).toBe(100);
  });

  it('stays at what an operator set', () => {
    const set = { least: 1, first: 100, most: 100 };
    expect(givePlaces(at(100), nothingSeen, 500, set, start).pace.rate).toBe(100);
    expect(givePlaces(at(4_000), nothingSeen, 1, set, start).pace.rate).toBe(100);
  });

  it('is halved by a refusal, once for what came in together, and never below the least', () => {
    const once = givePlaces(at(100), seen({ refused: 1 }), 1, limits, start).pace;
    const twice = givePlaces(once, seen({ refused: 5 }), 1, limits, start + 999).pace;
    const later = givePlaces(twice, seen({ refused: 1 }), 1, limits, start + 1_000).pace;
    expect([once.rate, twice.rate, later.rate]).toEqual([50, 50, 25]);
    expect(givePlaces(at(1.5), seen({ refused: 1 }), 1, limits, start).pace.rate).toBe(1);
  });

  it('falls where most answers are slow, to a tenth of the first rate at most', () => {
    const rateAfter = (rate: number, slow: number, answers: number) =>
      givePlaces(at(rate), seen({ slow, answers }), 1, limits, start).pace.rate;
    expect(rateAfter(100, 5, 9)).toBe(80);
    expect(rateAfter(11, 9, 9)).toBe(10);
    expect(rateAfter(5, 9, 9)).toBe(5);
    // Not most, and too few to say so.
    expect([rateAfter(100, 5, 10), rateAfter(100, 7, 7)]).toEqual([100, 100]);
  });
});

describe('Retry-After', () => {
  const paused = givePlaces(at(100), seen({ refused: 1, retryAfterMs: 30_000 }), 4, limits, start).pace;

  it('of one worker holds for the places of all', () => {
    const { places } = givePlaces(paused, nothingSeen, 10, limits, start + 10_000);
    expect(places).toMatchObject({ count: 0, firstInMs: 20_000, pausedForMs: 20_000 });
  });

  it('is not shortened by another answer, and raises no rate', () => {
    const again = givePlaces(paused, seen({ refused: 1, retryAfterMs: 1_000 }), 9, limits, start + 500).pace;
    expect(again).toMatchObject({ pausedUntil: start + 30_000, rate: 50 });
  });

  it('ends by itself', () => {
    expect(givePlaces(paused, nothingSeen, 1, limits, start + 30_000).places.count).toBe(1);
  });
});

describe('a slow answer', () => {
  it('takes five times as long as usual for its operation, and 200 ms longer', () => {
    const usual = createUsualLatency();
    expect(usual.isSlow('get', 10, 0)).toBe(false);
    expect([usual.isSlow('get', 200, 1), usual.isSlow('get', 211, 2)]).toEqual([false, true]);
    expect([usual.isSlow('list', 400, 3), usual.isSlow('list', 1_900, 4)]).toEqual([false, false]);
    expect(usual.isSlow('list', 2_001, 5)).toBe(true);
  });

  it('is usual where the operation takes that long for ten minutes', () => {
    const usual = createUsualLatency();
    usual.isSlow('get', 10, 0);
    expect(usual.isSlow('get', 500, 299_999)).toBe(true);
    expect(usual.isSlow('get', 500, 300_000)).toBe(true);
    expect(usual.isSlow('get', 500, 600_000)).toBe(false);
  });
});
