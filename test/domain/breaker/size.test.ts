/** Warnings where the breaker's limits do not suit the size of an installation. */
import { describe, expect, test } from 'vitest';
import { limitWarnings } from '../../../src/domain/breaker/size.js';
import { breakerRules } from '../../../src/domain/plan.js';
import { day, planOf, smallPolicy } from '../fixtures.js';

const rules = planOf().breaker ?? expect.fail('the plan has no breaker');

describe('the default limits', () => {
  test.each([0, 10, 5_000, 100_000])('suit %i identities', (population) => {
    expect(limitWarnings(rules, { population })).toEqual([]);
  });
  test('are few for a million: each is named, with the way out', () => {
    const warnings = limitWarnings(rules, { population: 1_000_000 });
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toBe(
      '500 × revoke within 1d are few for 1000000 identities: the breaker is likely to trip on ordinary days. ' +
        'Raise breaker.limits.revoke.atMost, or let the limit grow with the installation: { atMost: none, percent: … }',
    );
  });
  test('are too few where more falls due within the window, at any size', () => {
    const warnings = limitWarnings(rules, { population: 10_000, due: { deactivate: 251, revoke: 500 } });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^251 × deactivate fall due within 1d, and 250 are allowed: the breaker will trip\./,
      ),
    ]);
  });
  test('of a window of 30 days are measured by 30 days', () => {
    expect(limitWarnings({ ...rules, windowMs: 30 * day }, { population: 20_000 })).toHaveLength(4);
  });
});

describe('a limit that grows with the installation', () => {
  const policyWith = (revoke: string) =>
    smallPolicy(
      'delete: {after: 200d, notices: [30d], noticeFloor: 30d}',
      `breaker: {limits: {revoke: ${revoke}}}\n`,
    );
  test('is the percentage alone', () => {
    const { limits } = breakerRules(policyWith('{atMost: none, percent: 0.5}'));
    expect(limits.revoke).toEqual({ percent: 0.5 });
    expect(limits.delete).toEqual({ atMost: 100, percent: 5 });
  });
  test('draws no warning, however many there are', () => {
    const grown = breakerRules(policyWith('{atMost: none, percent: 0.5}'));
    const warnings = limitWarnings(grown, { population: 50_000_000 });
    expect(warnings.filter((warning) => warning.includes('revoke'))).toEqual([]);
  });
  test.each([
    ['{atMost: none}', /breaker\.limits\.revoke\.percent.*must be written where "atMost" is "none"/],
    ['{atMost: all}', /breaker\.limits\.revoke\.atMost.*must be a whole number above 0, or "none"/],
    ['{atMost: 0}', /breaker\.limits\.revoke\.atMost.*expected number to be >=1/],
    ['{atMost: none, percent: 0}', /breaker\.limits\.revoke\.percent.*must be above 0/],
  ])('%s is refused', (revoke, problem) => {
    expect(() => policyWith(revoke)).toThrow(problem);
  });
});
