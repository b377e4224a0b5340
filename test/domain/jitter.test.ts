/** Jitter: spread, and stable. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jitterFor } from '../../src/domain/jitter.js';
import { rungNames } from '../../src/domain/rungs.js';
import { anna, day, hour } from './fixtures.js';

it('is the same each time, whole, later only, and within its spread', () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.constantFrom(...rungNames),
      fc.integer({ min: 1, max: 30 * day }),
      (id, rung, spread) => {
        const jitter = jitterFor(id, rung, spread);
        expect(jitterFor(id, rung, spread)).toBe(jitter);
        expect(Number.isInteger(jitter)).toBe(true);
        expect(jitter).toBeGreaterThanOrEqual(0);
        expect(jitter).toBeLessThan(spread);
      },
    ),
  );
});

it('keeps its values from build to build: deadlines of sleeping workflows depend on them', () => {
  expect(rungNames.map((rung) => jitterFor(anna, rung, hour))).toMatchInlineSnapshot(`
    [
      3404191,
      35934,
      905169,
      916949,
      2117683,
      3249050,
    ]
  `);
  expect(jitterFor(anna, 'warn', 0)).toBe(0);
});

it('spreads random and neighbouring UUIDs evenly over sixty slots', () => {
  const random = fc.sample(fc.uuid(), { numRuns: 6_000, seed: 42 });
  const neighbours = Array.from(
    { length: 6_000 },
    (_, index) => `0f8fad5b-d9cb-469f-a165-${index.toString(16).padStart(12, '0')}`,
  );
  for (const ids of [random, neighbours]) {
    const slots = new Array<number>(60).fill(0);
    for (const id of ids) {
      const slot = jitterFor(id, 'revoke', 60);
      slots[slot] = (slots[slot] ?? 0) + 1;
    }
    // 100 each are expected; five standard deviations are 50.
    expect(Math.min(...slots)).toBeGreaterThan(50);
    expect(Math.max(...slots)).toBeLessThan(150);
  }
});
