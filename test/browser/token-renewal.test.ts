import { expect, it } from 'vitest';
import { startTokenRenewal } from '../../src/browser/token-renewal.js';

/** A renewal that is answered by the test. */
function renewalOf(answer: () => Promise<string | undefined>) {
  const clock = { now: 0 };
  const asked: string[] = [];
  const renewal = startTokenRenewal({
    timeline: () => clock.now,
    renew: (token) => {
      asked.push(token);
      return answer();
    },
  });
  renewal.begin(true);
  return { clock, asked, renewal };
}

it('many who ask at once ask once, and get the same token', async () => {
  const { asked, renewal } = renewalOf(async () => 'second');
  const tokens = await Promise.all(Array.from({ length: 100 }, () => renewal.next('first')));
  expect(new Set(tokens)).toEqual(new Set(['second']));
  expect(asked).toEqual(['first']);
});

it('is worth nothing where there is nobody to ask, or the API does not slide', () => {
  const { renewal } = renewalOf(async () => 'second');
  expect(renewal.isWorthwhile()).toBe(true);
  renewal.begin(false);
  expect(renewal.isWorthwhile()).toBe(false);
});

it.each<[string, () => Promise<string | undefined>, boolean, boolean]>([
  ['refused', async () => undefined, false, false],
  ['given, and ends no later', async () => 'second', false, false],
  ['given, and ends later', async () => 'second', true, true],
  ['not decided', () => Promise.reject(new Error('503')), false, true],
])('a token that was %s: whether the next one is asked for, after a pause of five seconds', async (_what, answer, isLater, isAskedAgain) => {
  const { clock, renewal } = renewalOf(answer);
  await renewal.next('first');
  renewal.settled(isLater);
  clock.now = 4_999;
  expect(renewal.isWorthwhile()).toBe(false);
  clock.now = 5_000;
  expect(renewal.isWorthwhile()).toBe(isAskedAgain);
  renewal.begin(true);
  expect(renewal.isWorthwhile()).toBe(true);
});
