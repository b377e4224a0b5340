/** How long people stay away, estimated from when they were seen last. */
import { describe, expect, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { Gaps, gapsOf } from '../../src/simulation/gaps.js';
import { exponential, randomOf } from '../../src/simulation/random.js';

/** When people were seen last who came for ten years as `draw` says, each from a day of their own. */
function lastSeen(people: number, draw: (isFirst: boolean) => number): number[] {
  const days: number[] = [];
  for (let index = 0; index < people; index += 1) {
    const end = 3_650 + index / people;
    let [at, next] = [0, 0];
    while (next <= end) [at, next] = [next, next + draw(next === 0)];
    const day = Math.floor(end - at);
    days[day] = (days[day] ?? 0) + 1;
  }
  return Array.from(days, (count) => count ?? 0);
}

describe('the estimate', () => {
  it('people who come every 20 days on average: the shares of their absences, within three percent points', () => {
    const random = randomOf('even');
    const gaps = gapsOf(lastSeen(20_000, () => exponential(20, random)));
    expect(gaps.people).toBe(20_000);
    // The first day counts as whole: what is estimated is the share from the middle of the first day on.
    for (const days of [7, 20, 40, 60])
      expect(Math.abs(gaps.lastingAtLeast(days) - Math.exp(-days / 20)), `${days} days`).toBeLessThan(0.03);
  });

  it('absences of exactly 30 days: all last 29 days, none lasts 31', () => {
    const random = randomOf('strict');
    const gaps = gapsOf(lastSeen(30_000, (isFirst) => (isFirst ? 30 * random() : 30)));
    expect(gaps.lastingAtLeast(29)).toBeGreaterThan(0.9);
    // Nobody is away longer: the rest falls to nothing.
    expect(gaps.lastingAtLeast(31)).toBeLessThan(gaps.lastingAtLeast(29));
    expect(gaps.lastingAtLeast(60)).toBe(0);
    expect(gaps.draw(29.5 * dayMs, randomOf('x'))).toBeLessThanOrEqual(60 * dayMs);
  });

  it('is never higher for a longer absence, whatever the counts', () => {
    const gaps = gapsOf([5, 0, 40, 3, 3, 9, 0, 1]);
    const { survival } = gaps;
    expect(survival[0]).toBe(1);
    expect(survival.every((share, day) => day === 0 || share <= (survival[day - 1] ?? 0))).toBe(true);
    // 5, 0, 40 can't be in this order; together they make 15 a day.
    expect(survival.slice(0, 3)).toEqual([1, 1, 1]);
  });

  it('people are deleted after 30 days: absences that last so long never end', () => {
    const counts = Array.from({ length: 30 }, (_, index) => 100 - index);
    expect(gapsOf(counts, 30).lastingAtLeast(60)).toBeCloseTo(0.71);
    expect(gapsOf(counts, 30).draw(29.5 * dayMs, randomOf('x'))).toBe(Number.POSITIVE_INFINITY);
    expect(gapsOf(counts, 300).lastingAtLeast(60)).toBe(0);
  });

  it('nobody was ever seen: nobody ever comes', () => {
    expect(gapsOf([]).draw(0, randomOf('x'))).toBe(Number.POSITIVE_INFINITY);
    expect(gapsOf([0, 0]).people).toBe(0);
  });
});

describe('a drawn absence', () => {
  const gaps = new Gaps([1, 0.5, 0.5, 0.25, 0.25], 100);
  const drawn = (awayDays: number) => {
    const random = randomOf(`${awayDays}`);
    return Array.from({ length: 4_000 }, () => gaps.draw(awayDays * dayMs, random) / dayMs);
  };
  const share = (values: number[], is: (value: number) => boolean) =>
    values.filter(is).length / values.length;

  it('from its beginning: as the shares have it', () => {
    const values = drawn(0);
    expect(share(values, (days) => days <= 1)).toBeCloseTo(0.5, 1);
    expect(share(values, (days) => days > 1 && days <= 2)).toBe(0);
    expect(share(values, (days) => days > 2 && days <= 3)).toBeCloseTo(0.25, 1);
    expect(share(values, (days) => days === Number.POSITIVE_INFINITY)).toBeCloseTo(0.25, 1);
  });

  it('two days on: never shorter than that, and half of them never end', () => {
    const values = drawn(2.5);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(2.5);
    expect(share(values, (days) => days === Number.POSITIVE_INFINITY)).toBeCloseTo(0.5, 1);
  });

  it('longer than anybody was away: it never ends', () => {
    expect(new Set(drawn(90))).toEqual(new Set([Number.POSITIVE_INFINITY]));
  });
});
