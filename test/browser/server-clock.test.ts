import { expect, it } from 'vitest';
import { serverClock } from '../../src/browser/server-clock.js';

it('a machine’s wrong clock cancels out, and a slow answer shows too late a time, never too early a one', () => {
  let page = 7_000;
  const clock = serverClock(() => page);
  page += 3_000;
  expect(clock.adopt(1_000_000, 7_000)).toBe(true);
  expect(clock.now()).toBe(1_003_000);
  expect(clock.onTimeline(1_003_000)).toBe(page);
});

it('an answer that the answer to a later question has overtaken does not count', () => {
  let page = 0;
  const clock = serverClock(() => page);
  page = 5_000;
  expect(clock.adopt(105_000, 4_000)).toBe(true);
  expect(clock.adopt(101_000, 1_000)).toBe(false);
  expect(clock.now()).toBe(106_000);
  expect(clock.adopt(106_500, 4_500)).toBe(true);
});
