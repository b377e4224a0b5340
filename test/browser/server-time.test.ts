import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ServerTime } from '../../src/browser/server-time.js';

/** A machine whose clocks a test moves. */
function machine(wall: number) {
  const clocks = { wall, monotonic: 5_000 };
  return { clocks, clock: { wall: () => clocks.wall, monotonic: () => clocks.monotonic } };
}

it('a clock that is wrong by hours cancels out', () => {
  for (const offBy of [-7_200_000, 0, 7_200_000]) {
    const { clocks, clock } = machine(1_000_000_000 + offBy);
    const time = new ServerTime(clock, 1_000_000_000);
    clocks.wall += 90_000;
    clocks.monotonic += 90_000;
    expect(time.now()).toBe(1_000_090_000);
  }
});

it('a sleep counts, whichever of the clocks stood still', () => {
  const { clocks, clock } = machine(1_000_000_000);
  const time = new ServerTime(clock, 0);
  clocks.wall += 3_600_000;
  expect(time.now()).toBe(3_600_000);
  clocks.monotonic += 3_700_000;
  expect(time.now()).toBe(3_700_000);
});

it('a clock that is set back in between changes nothing', () => {
  const { clocks, clock } = machine(1_000_000_000);
  const time = new ServerTime(clock, 0);
  clocks.monotonic += 30_000;
  clocks.wall += 30_000 - 7_200_000;
  expect(time.now()).toBe(30_000);
});

it('never runs behind the time that went by', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(10_000), fc.integer({ min: -10_000, max: 10_000 }))), (steps) => {
      const { clocks, clock } = machine(50_000_000);
      const time = new ServerTime(clock, 0);
      let passed = 0;
      for (const [ms, jump] of steps) {
        passed += ms;
        clocks.monotonic += ms;
        clocks.wall += ms + jump;
        expect(time.now()).toBeGreaterThanOrEqual(passed);
      }
    }),
  );
});
