import fc from 'fast-check';
import { expect, it } from 'vitest';
import { startTimeline } from '../../src/browser/timeline.js';

/** A machine whose clocks a test moves. */
function machine() {
  const clocks = { wall: 1_000_000_000, monotonic: 5_000 };
  const timeline = startTimeline({ wall: () => clocks.wall, monotonic: () => clocks.monotonic });
  const begin = timeline();
  return { clocks, passed: () => timeline() - begin };
}

it('a sleep counts, whichever of the clocks stood still', () => {
  const { clocks, passed } = machine();
  clocks.wall += 3_600_000;
  expect(passed()).toBe(3_600_000);
  clocks.monotonic += 100_000;
  expect(passed()).toBe(3_700_000);
});

it('a clock that is set back changes nothing, and hides no later sleep', () => {
  const { clocks, passed } = machine();
  clocks.monotonic += 30_000;
  clocks.wall += 30_000 - 7_200_000;
  expect(passed()).toBe(30_000);
  clocks.wall += 3_600_000;
  expect(passed()).toBe(3_630_000);
});

it('two clocks that tick unevenly add nothing, however often they are read', () => {
  const { clocks, passed } = machine();
  for (let read = 1; read <= 10_000; read += 1) {
    clocks.monotonic += 16.7;
    clocks.wall = Math.round(1_000_000_000 + read * 16.7 + (read % 2) * 5);
    passed();
  }
  expect(passed()).toBeCloseTo(167_000, 3);
});

it('never runs behind the time that went by, and never ahead of the jumps forward', () => {
  const steps = fc.array(fc.tuple(fc.nat(10_000), fc.integer({ min: -10_000, max: 10_000 })));
  fc.assert(
    fc.property(steps, (taken) => {
      const { clocks, passed } = machine();
      let [least, most] = [0, 0];
      for (const [ms, jump] of taken) {
        least += ms;
        most += ms + Math.max(0, jump);
        clocks.monotonic += ms;
        clocks.wall += ms + jump;
        expect(passed()).toBeGreaterThanOrEqual(least);
        expect(passed()).toBeLessThanOrEqual(most);
      }
    }),
  );
});
