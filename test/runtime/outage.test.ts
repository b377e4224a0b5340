/** A record that fails, and a system that is away. */
import { expect, it } from 'vitest';
import { concernsOne, OutageWatch } from '../../src/process/outage.js';
import { giveUp, tryAgain, tryOneAgain } from '../../src/process/step-error.js';

const away = tryAgain('KratosUnavailable', 'no answer');
const unreadable = tryOneAgain('KratosMalformedAnswer', 'not known');
const refused = giveUp('KratosRefused', 'answered 400', 400);

it.each([
  ['a system that is away', away, false],
  ['a record that can not be read', unreadable, true],
  ['a record that is refused', refused, true],
  ['an error of PostgreSQL', Object.assign(new Error('no connection'), { code: '08006' }), false],
  ['no error at all', undefined, false],
])('%s', (_title, error, expected) => {
  expect(concernsOne(error)).toBe(expected);
});

it('the fifth failure in a row says that a system is away', () => {
  const watch = new OutageWatch();
  const four = [1, 2, 3, 4].map(() => watch.failed(away));
  expect([...four, watch.failed(away)]).toEqual([false, false, false, false, true]);
});

it('one success between them says that it is there', () => {
  const watch = new OutageWatch();
  for (let nth = 0; nth < 4; nth += 1) watch.failed(away);
  watch.succeeded();
  expect(watch.failed(away)).toBe(false);
});

it('ten thousand bad records in a row, of two kinds: the system is there', () => {
  const watch = new OutageWatch();
  const verdicts = Array.from({ length: 10_000 }, (_none, nth) =>
    watch.failed(nth % 2 === 0 ? unreadable : refused),
  );
  expect(verdicts).not.toContain(true);
});

it('bad records between them do not hide an outage', () => {
  const watch = new OutageWatch();
  const verdicts = Array.from({ length: 9 }, (_none, nth) => watch.failed(nth % 2 === 0 ? away : unreadable));
  expect(verdicts.at(-1)).toBe(true);
});
