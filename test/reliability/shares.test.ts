/** Shares of the fault harness: each case is in one of them, and together they are the whole. */
import { expect, it } from 'vitest';
import {
  type Figures,
  haveStruck,
  isWhole,
  joined,
  missingShares,
  triedOf,
} from '../../tools/reliability/figures.js';
import { inParties, inShare, readShare } from '../faults/harness/size.js';

const cases = Array.from({ length: 2_709 }, (_none, index) => `case ${index}`);

it.each([1, 2, 8, 16])('%d shares: each case is in exactly one, and none is empty', (of) => {
  const shares = Array.from({ length: of }, (_none, index) =>
    inShare(cases, { nth: index + 1, of }, (name) => name),
  );
  expect(shares.flat().sort()).toEqual([...cases].sort());
  expect(Math.min(...shares.map((share) => share.length))).toBeGreaterThan(0);
});

it('a case stays in its share where other cases come or go', () => {
  const share = inShare(cases, { nth: 2, of: 4 }, (name) => name);
  const fewer = inShare(cases.slice(100), { nth: 2, of: 4 }, (name) => name);
  expect(fewer).toEqual(share.filter((name) => cases.indexOf(name) >= 100));
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['2/4', { nth: 2, of: 4 }],
  ['1/1', { nth: 1, of: 1 }],
])('%j is read', (text, share) => {
  expect(readShare(text)).toEqual(share);
});

it.each(['0/4', '5/4', '1', '1/0', 'a/b', '1/4/2', '-1/4', '1.5/4', ' 1/4'])('%j is refused', (text) => {
  expect(() => readShare(text)).toThrow(/^DORMOUSE_FAULTS_SHARD: .*2\/4/);
});

const share = (nth: number, of: number, more: Partial<Figures> = {}): Figures => ({
  ...{
    part: 'outside',
    tried: 'faults',
    cases: { tried: 10, planned: 11, failed: 1 },
    steps: 100,
    faults: 10,
  },
  ...{
    wrongful: 0,
    missed: 1,
    stuck: 2,
    duplicateMails: 3,
    byKind: { [`kind ${nth}`]: 1, 'kratos: 400': 2 },
  },
  ...{ notes: ['time is skipped'], measured: `2026-11-2${nth}`, code: 'abc', share: { nth, of }, ...more },
});

it('all shares are one: numbers are summed, a note is there once, the day is that of the oldest', () => {
  const whole = joined([share(2, 3), share(1, 3), share(3, 3)]);
  expect(whole).toEqual({
    ...{
      part: 'outside',
      tried: 'faults',
      cases: { tried: 30, planned: 33, failed: 3 },
      steps: 300,
      faults: 30,
    },
    ...{ wrongful: 0, missed: 3, stuck: 6, duplicateMails: 9 },
    byKind: { 'kind 1': 1, 'kind 2': 1, 'kind 3': 1, 'kratos: 400': 6 },
    ...{ notes: ['time is skipped'], measured: '2026-11-21', code: 'abc' },
  });
  expect(triedOf(whole)).toBe('30 of 33 faults');
});

it.each([
  [300, 297, true],
  [300, 296, false],
  [10, 9, false],
])('of %d faults %d struck: enough to say something is %j', (tried, faults, isEnough) => {
  expect(haveStruck(share(1, 1, { cases: { tried, planned: tried, failed: 0 }, faults }))).toBe(isEnough);
});

it('shares of different code: the whole names none', () => {
  expect(joined([share(1, 2), share(2, 2, { code: 'def' })])).not.toHaveProperty('code');
});

it('a share that is missing is named, and no whole is made', () => {
  expect(missingShares([share(1, 3), share(3, 3)])).toEqual([2]);
  expect(() => joined([share(1, 3), share(3, 3)])).toThrow('there are shares missing');
  expect(() => joined([])).toThrow('there are shares missing');
});

it('shares of another division, of another part, or one twice: no whole is made', () => {
  for (const odd of [share(1, 4), share(1, 3, { part: 'kills' }), share(1, 3)]) {
    expect(() => joined([share(1, 3), share(2, 3), share(3, 3), odd])).toThrow();
  }
});

it.each([
  [0, 250, []],
  [1, 250, [1]],
  [250, 250, [250]],
  [251, 250, [125, 126]],
  [2_709, 250, [246, 246, 246, 246, 247, 246, 246, 246, 247, 246, 247]],
])('%d items in parties of %d: each in one, none much smaller than the others', (count, atMost, sizes) => {
  const parties = inParties(cases.slice(0, count), atMost);
  expect(parties.flat()).toEqual(cases.slice(0, count));
  expect(parties.map((party) => party.length).sort()).toEqual([...sizes].sort());
});

it.each([
  [{ tried: 10, planned: 10, failed: 0 }, true],
  [{ tried: 8, planned: 10, failed: 0 }, false],
  [{ tried: 10, planned: 10, failed: 1 }, false],
])('a share with %j may be left out of a run that continues: %j', (counts, expected) => {
  expect(isWhole(share(1, 2, { cases: counts }))).toBe(expected);
});
