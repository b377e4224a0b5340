/** Looks that denied attempts prompt: one for each identity in ten minutes, whatever an app does. */
import { expect, it, vi } from 'vitest';
import { PromptedLooks } from '../../src/tokens/http/prompted-looks.js';

const minute = 60_000;

it('one look for each identity in ten minutes, and the next after that', () => {
  let now = 0;
  const lookAgain = vi.fn(() => Promise.resolve());
  const looks = new PromptedLooks(
    { lookAgain },
    () => undefined,
    () => now,
  );
  for (; now < 10 * minute; now += 1_000) looks.prompt('a');
  expect(lookAgain).toHaveBeenCalledTimes(1);
  looks.prompt('b');
  looks.prompt('a');
  expect(lookAgain.mock.calls).toEqual([['a'], ['b'], ['a']]);
});

it('at most ten thousand identities are remembered', () => {
  const lookAgain = vi.fn(() => Promise.resolve());
  const looks = new PromptedLooks(
    { lookAgain },
    () => undefined,
    () => 0,
  );
  for (let i = 0; i <= 10_000; i += 1) looks.prompt(String(i));
  looks.prompt('1');
  expect(lookAgain).toHaveBeenCalledTimes(10_001);
  looks.prompt('0');
  expect(lookAgain).toHaveBeenCalledTimes(10_002);
});

it('a failed look is reported, and stops no other', async () => {
  const onError = vi.fn();
  const looks = new PromptedLooks({ lookAgain: () => Promise.reject(new Error('away')) }, onError);
  looks.prompt('a');
  await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
});
