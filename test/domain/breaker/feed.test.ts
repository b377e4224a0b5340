/** The feed compared with itself: quiet nights are normal, silence is not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FeedBucket, feedHealth } from '../../../src/domain/breaker/feed.js';
import type { StallRule } from '../../../src/domain/breaker/rules.js';
import { day, epoch, hour } from '../fixtures.js';

const rule: StallRule = { windowMs: day, baselineMs: 14 * day, belowPercent: 20 };
const now = epoch + 30 * day;

/** Hourly buckets of the past days, the latest last. */
function feed(signsPerDay: readonly number[]): FeedBucket[] {
  return signsPerDay.flatMap((signs, index) =>
    Array.from({ length: 24 }, (_, h) => ({
      at: now - (signsPerDay.length - index) * day + h * hour,
      signs: signs / 24,
    })),
  );
}
const days = (count: number, signs: number) => Array.from({ length: count }, () => signs);

describe('a feed is stalled', () => {
  test('when nothing arrives any more', () => {
    expect(feedHealth(feed([...days(10, 2400), 0]), rule, now)).toEqual({
      stalled: true,
      received: 0,
      quietest: 2400,
    });
  });
  test('when less than the percentage of the quietest day arrives', () => {
    const busyWithWeekend = [2400, 2400, 2400, 2400, 2400, 480, 480];
    expect(feedHealth(feed([...busyWithWeekend, 72]), rule, now)).toMatchObject({ stalled: true });
    expect(feedHealth(feed([...busyWithWeekend, 120]), rule, now)).toEqual({ stalled: false });
  });
  test('also when it ended in the middle of the window', () => {
    const buckets = feed([...days(5, 2400), 2400]).filter(({ at }) => at < now - 22 * hour);
    expect(feedHealth(buckets, rule, now)).toMatchObject({ stalled: true, received: 200 });
  });
});

describe('a feed is not stalled', () => {
  test('when it is as quiet as its quietest day', () => {
    expect(feedHealth(feed([...days(10, 2400), 48, 2400, 48]), rule, now)).toEqual({ stalled: false });
  });
  test('when it never brought anything, or hardly anything', () => {
    expect(feedHealth([], rule, now)).toEqual({ stalled: false });
    expect(feedHealth(feed([...days(10, 19), 0]), rule, now)).toEqual({ stalled: false });
  });
  test('when it is too young to have a baseline', () => {
    expect(feedHealth(feed([2400, 2400, 0]), rule, now)).toEqual({ stalled: false });
    expect(feedHealth(feed([2400, 2400, 2400, 0]), rule, now)).toMatchObject({ stalled: true });
  });
  test('by the standard of what is older than the baseline', () => {
    expect(feedHealth(feed([...days(16, 2400), ...days(13, 24), 24]), rule, now)).toEqual({ stalled: false });
  });
});

test('a known outage does not become the new normal', () => {
  const afterOutage = [...days(6, 2400), 0, 2400, 2400, 2400, 0];
  expect(feedHealth(feed(afterOutage), rule, now)).toEqual({ stalled: false });
  const outage = { from: now - 5 * day, to: now - 4 * day };
  expect(feedHealth(feed(afterOutage), rule, now, [outage])).toMatchObject({ stalled: true });
});

describe('a day', () => {
  /** One bucket a day, the latest last: whole numbers, for limits that are met exactly. */
  const daily = (signs: readonly number[]): FeedBucket[] =>
    signs.map((count, index) => ({ at: now - (signs.length - index) * day, signs: count }));

  test('at the end of the baseline counts, one before it does not', () => {
    expect(feedHealth(daily([48, ...days(13, 2400), 0]), rule, now)).toMatchObject({ quietest: 48 });
    expect(feedHealth(daily([48, ...days(14, 2400), 0]), rule, now)).toMatchObject({ quietest: 2400 });
  });
  test.each([
    ['the latest', { from: now - 2 * day, to: now - day }],
    ['one in the middle', { from: now - 3 * day, to: now - 2 * day }],
    ['the first', { from: now - 5 * day, to: now - 4 * day }],
  ])('of an outage (%s) is left out, and the days beside it are not', (_title, outage) => {
    const verdict = feedHealth(daily([...days(4, 2400), 0]), rule, now, [outage]);
    expect(verdict).toEqual({ stalled: true, received: 0, quietest: 2400 });
  });
  test('with exactly the least number of signs is a baseline', () => {
    expect(feedHealth(daily([...days(4, 20), 0]), rule, now)).toMatchObject({ stalled: true });
    expect(feedHealth(daily([...days(4, 19), 0]), rule, now)).toEqual({ stalled: false });
  });
  test('with exactly the percentage is not stalled', () => {
    expect(feedHealth(daily([...days(4, 2400), 480]), rule, now)).toEqual({ stalled: false });
    expect(feedHealth(daily([...days(4, 2400), 479]), rule, now)).toMatchObject({ stalled: true });
  });
});

test('more signs never make a feed look stalled that was not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 4, maxLength: 20 }),
      fc.integer({ min: 1, max: 5_000 }),
      (signs, more) => {
        const last = signs.at(-1) ?? 0;
        const before = feedHealth(feed(signs), rule, now);
        const after = feedHealth(feed([...signs.slice(0, -1), last + more * 24]), rule, now);
        expect(before.stalled || !after.stalled).toBe(true);
      },
    ),
  );
});
