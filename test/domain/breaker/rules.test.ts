/** Limits and clocks of the breaker, and how a policy states them. */
import { describe, expect, test } from 'vitest';
import { clockProblem } from '../../../src/domain/breaker/clocks.js';
import { allowedActs } from '../../../src/domain/breaker/rules.js';
import { parsePolicyFile } from '../../../src/policies/yaml.js';
import { day, planOf, smallPolicy } from '../fixtures.js';

const ladder = 'delete: {after: 200d, notices: [30d], noticeFloor: 30d}';
const rules = planOf().breaker ?? expect.fail('the plan has no breaker');

describe('what is allowed', () => {
  test.each([
    [1_000_000, 100],
    [2_000, 100],
    [1_999, 99],
    [200, 10],
    [100, 5],
    [10, 5],
    [0, 5],
  ])('of %i identities: %i deletions', (population, allowed) => {
    expect(allowedActs(rules, 'delete', population)).toBe(allowed);
  });
  test('the smaller limit counts even where it is below percentFrom', () => {
    const strict = { ...rules, limits: { ...rules.limits, delete: { atMost: 2, percent: 100 } } };
    expect(allowedActs(strict, 'delete', 1_000)).toBe(2);
  });
});

describe('a policy', () => {
  test('without the section has the breaker all the same', () => {
    expect(planOf(smallPolicy(ladder)).breaker).toEqual({
      windowMs: day,
      limits: {
        revoke: { atMost: 500, percent: 20 },
        deactivate: { atMost: 250, percent: 10 },
        delete: { atMost: 100, percent: 5 },
        bury: { atMost: 100, percent: 5 },
        endPersonal: { atMost: 500, percent: 20 },
        endRefresh: { atMost: 1_000, percent: 20 },
      },
      percentFrom: 5,
      operators: 1,
      stall: { windowMs: day, baselineMs: 14 * day, belowPercent: 20 },
      clockToleranceMs: 300_000,
    });
  });
  test('states only what differs', () => {
    const { breaker } = planOf(
      smallPolicy(ladder, 'breaker: {limits: {delete: {atMost: 7}}, release: {operators: 2}, stall: off}\n'),
    );
    expect(breaker).toMatchObject({ limits: { delete: { atMost: 7, percent: 5 }, revoke: { atMost: 500 } } });
    expect(breaker).toMatchObject({ operators: 2 });
    expect(breaker).not.toHaveProperty('stall');
  });
  test.each([
    ['{window: 2h}', /breaker.window: 2h is shorter than a day/],
    ['{stall: {window: 2d, baseline: 5d}}', /breaker.stall.baseline: holds fewer than three windows/],
    ['{limits: {delete: {percent: 0}}}', /breaker.limits.delete.percent: must be above 0/],
    ['{limits: {delete: {atMost: 0}}}', /breaker.limits.delete.atMost/],
    ['{limits: {warn: {atMost: 3}}}', /breaker.limits.*warn/],
    ['{release: {operators: 3}}', /breaker.release.operators/],
    ['{stall: on}', /breaker.stall: write "off"/],
  ])('%s is refused', (section, message) => {
    const text = `id: bad\nladder:\n  ${ladder}\nbreaker: ${section}\nrecheck: 7d\nretry: {attempts: 3, firstAfter: 10s, longestAfter: 1h}\n`;
    expect(() => parsePolicyFile(text, 'bad.yaml')).toThrow(message);
  });
});

describe('clocks', () => {
  const at = 1_800_000_000_000;
  const sound = { wallAt: at, databaseAt: at + 200, decidedAt: at - 1_000, latestKnownAt: at - 60_000 };
  const minutes = 60_000;
  test('that agree do not trip the breaker', () => {
    expect(clockProblem(sound, 5 * minutes)).toBeUndefined();
    expect(
      clockProblem({ ...sound, since: { wallMs: 86_400_000, monotonicMs: 86_399_000 } }, 5 * minutes),
    ).toBeUndefined();
  });
  test('a decision that waited long in a queue does not trip the breaker', () => {
    expect(clockProblem({ ...sound, decidedAt: at - 3 * day }, 5 * minutes)).toBeUndefined();
  });
  test.each([
    ['the worker ahead of PostgreSQL', { databaseAt: at - 6 * minutes }, /differ by 360 s/],
    ['the worker behind PostgreSQL', { databaseAt: at + 6 * minutes }, /differ by 360 s/],
    ['Temporal ahead', { decidedAt: at + 6 * minutes }, /Temporal's clock is 360 s ahead/],
    ['time going back', { latestKnownAt: at + 6 * minutes }, /went back by 360 s/],
    ['a jump ahead', { since: { wallMs: 3 * day, monotonicMs: minutes } }, /jumped by 259140 s/],
    ['a jump back', { since: { wallMs: -9 * minutes, monotonicMs: minutes } }, /jumped by 600 s/],
  ])('%s', (_name, reading, message) => {
    expect(clockProblem({ ...sound, ...reading }, 5 * minutes)).toMatch(message);
  });
  test.each([
    ['the worker ahead of PostgreSQL', { databaseAt: at - 5 * minutes }],
    ['Temporal ahead', { decidedAt: at + 5 * minutes }],
    ['time going back', { latestKnownAt: at + 5 * minutes }],
    ['a jump', { since: { wallMs: 6 * minutes, monotonicMs: minutes } }],
  ])('%s by exactly the tolerance does not trip the breaker', (_name, reading) => {
    expect(clockProblem({ ...sound, ...reading }, 5 * minutes)).toBeUndefined();
  });
});
