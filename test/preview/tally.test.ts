/** Counts by day, and the days that the breaker would not let pass. */
import { describe, expect, it } from 'vitest';
import { breakerRules } from '../../src/domain/plan.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { tripLines } from '../../src/preview/table.js';
import { counted, type Days, horizonDays, trippingDays, within } from '../../src/preview/tally.js';
import { day, defaultPolicy } from '../domain/fixtures.js';

const days = (revocations: Readonly<Record<number, number>>): Days => {
  const none = Array.from({ length: horizonDays + 1 }, () => 0);
  const revoke = none.map((_, index) => revocations[index] ?? 0);
  const nothing = Object.fromEntries(counted.map((what) => [what, none])) as Record<
    (typeof counted)[number],
    number[]
  >;
  return { ...nothing, revoke };
};
const rules = (windowDays: number) =>
  breakerRules({ breaker: { ...defaultPolicy.breaker, window: windowDays * day } } satisfies Pick<
    Policy,
    'breaker'
  >);

describe('days on which the breaker trips', () => {
  it.each([
    ['as many as are allowed', { 3: 500 }, 1, []],
    ['one more', { 3: 501 }, 1, [3]],
    ['the sum of two days, in a window of one', { 3: 300, 4: 300 }, 1, []],
    ['the sum of two days, in a window of two', { 3: 300, 4: 300 }, 2, [4]],
    ['a window that has passed', { 3: 300, 5: 300 }, 2, []],
  ] as const)('%s', (_title, acts, window, expected) => {
    expect(trippingDays(days(acts), rules(window), 1_000_000).map(({ day: on }) => on)).toEqual(expected);
  });

  it('a small population: the percentage counts', () => {
    expect(trippingDays(days({ 0: 21 }), rules(1), 100)).toEqual([
      { day: 0, action: 'revoke', acts: 21, allowed: 20 },
    ]);
  });

  it('days in a row are one line', () => {
    const trips = trippingDays(days({ 3: 600, 4: 700, 9: 501 }), rules(1), 1_000_000);
    expect(tripLines(trips)).toEqual([
      '  days 3 to 4: up to 700 × revoke, and 500 are allowed',
      '  day 9: up to 501 × revoke, and 500 are allowed',
    ]);
  });

  it('within a number of days: from the first one', () => {
    expect(within([1, 2, 4, 8], 2)).toBe(3);
  });
});
