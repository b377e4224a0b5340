/** One check for many callers, by an own clock. */
import { expect, it } from 'vitest';
import { shared } from '../../src/observability/shared-check.js';

const quick = { timeoutMs: 60_000, keepMs: 1_000 };

it('ten thousand callers at once cause one check, and all get its answer', async () => {
  let checks = 0;
  let finish: (answer: string) => void = () => undefined;
  const ask = shared(() => {
    checks += 1;
    return new Promise<string>((resolve) => {
      finish = resolve;
    });
  }, quick);
  const callers = Promise.all(Array.from({ length: 10_000 }, () => ask()));
  finish('fine');
  expect(new Set(await callers)).toEqual(new Set(['fine']));
  expect(checks).toBe(1);
});

it('an answer is handed out again for its time, and then asked for anew', async () => {
  let at = 0;
  let checks = 0;
  const ask = shared(async () => ++checks, { ...quick, now: () => at });
  expect(await ask()).toBe(1);
  at = 999;
  expect(await ask()).toBe(1);
  at = 1_000;
  expect(await ask()).toBe(2);
});

it('a check that hangs fails its callers and is not started again meanwhile', async () => {
  let checks = 0;
  const ask = shared(
    () => {
      checks += 1;
      return new Promise<never>(() => undefined);
    },
    { timeoutMs: 1, keepMs: 1_000 },
  );
  await expect(ask()).rejects.toThrow('no answer within 1 ms');
  await expect(ask()).rejects.toThrow('no answer within 1 ms');
  expect(checks).toBe(1);
});

it('an error reaches every caller, and the next check may succeed', async () => {
  let at = 0;
  const ask = shared(
    async () => {
      if (at === 0) throw new Error('away');
      return 'back';
    },
    { ...quick, now: () => at },
  );
  await expect(ask()).rejects.toThrow('away');
  at = 5_000;
  expect(await ask()).toBe('back');
});
