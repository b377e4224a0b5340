/** What differs between two policies, and which way each difference goes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inWords, policyDifferences } from '../../src/forecast/policy-differences.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { defaultPolicy, defaultText } from '../domain/fixtures.js';
import { policies } from '../domain/scenarios.js';

/** The default policy with one text replaced. */
const changed = (from: string | RegExp, to: string) => {
  const text = defaultText.replace(from, to);
  expect(text).not.toBe(defaultText);
  return parsePolicyFile(text, 'changed.yaml');
};
const linesOf = (from: string | RegExp, to: string) =>
  policyDifferences(defaultPolicy, changed(from, to)).map(inWords);

describe('the differences of two policies', () => {
  it('the same policy: none; another description: none', () => {
    expect(policyDifferences(defaultPolicy, defaultPolicy)).toEqual([]);
    expect(linesOf(/^description: .*$/m, 'description: another')).toEqual([]);
  });

  it.each([
    ['a rung earlier', 'after: 365d', 'after: 300d', 'ladder.deactivate.after: 365d → 300d (harsher)'],
    ['a rung later', 'after: 30d', 'after: 40d', 'ladder.warn.after: 30d → 40d (milder)'],
    [
      'fewer notices',
      '[30d, 7d, 1d]',
      '[30d, 7d]',
      'ladder.delete.notices: [30d, 7d, 1d] → [30d, 7d] (harsher)',
    ],
    [
      'without notice',
      'withoutNotice: wait',
      'withoutNotice: proceed',
      'ladder.deactivate.withoutNotice: wait → proceed (harsher)',
    ],
    [
      'fewer kinds of signs',
      'keepsAlive: [human, token]',
      'keepsAlive: [human]',
      'keepsAlive: [human, token] → [human] (harsher)',
    ],
    [
      'an account type on the ladder',
      'service: never\n  trusted',
      'service: ladder\n  trusted',
      'accountTypes.service: never → ladder (harsher)',
    ],
    ['no opting out', 'honourOptOut: true', 'honourOptOut: false', 'honourOptOut: true → false (harsher)'],
    ['a wider breaker', 'atMost: 500', 'atMost: 5000', 'breaker.limits.revoke.atMost: 500 → 5000 (harsher)'],
    ['two operators', 'operators: 1', 'operators: 2', 'breaker.release.operators: 1 → 2 (milder)'],
    [
      'no "Keep my account"',
      /^ {2}keep:[\s\S]*?\n\n/m,
      '\n',
      'selfService.keep: is gone (was there) (harsher)',
    ],
    ['a rung that is gone', /^ {2}winback:\n.*\n/m, '', 'ladder.winback: is gone (was after 180d) (milder)'],
    [
      'another pace of retries',
      'attempts: 40',
      'attempts: 50',
      'retry.attempts: 40 → 50 (neither harsher nor milder)',
    ],
  ])('%s', (_title, from, to, line) => {
    expect(linesOf(from, to)).toEqual([line]);
  });

  it('a role: what the ladder becomes for it, and nothing that changes for everybody', () => {
    expect(linesOf('after: 7d', 'after: 14d')).toEqual([
      'role "admin": ladder.revoke.after: 7d → 14d (milder)',
    ]);
    expect(linesOf(/^ {2}service: never\n\n/m, '\n')).toEqual([
      'role "service": ladder: never → ladder (harsher)',
    ]);
    expect(linesOf('after: 365d', 'after: 300d')).toHaveLength(1);
  });

  it('any two policies, in the other order: the same fields, each the other way', () => {
    const turn = { harsher: 'milder', milder: 'harsher', other: 'other' } as const;
    const pair = fc.tuple(fc.constantFrom(...policies), fc.constantFrom(...policies));
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const there = policyDifferences(one, other).map(({ field, effect }) => `${field} ${turn[effect]}`);
        const back = policyDifferences(other, one).map(({ field, effect }) => `${field} ${effect}`);
        expect(there.sort()).toEqual(back.sort());
      }),
    );
  });
});

describe('populations', () => {
  const withPopulation = (more: string) =>
    parsePolicyFile(`${defaultText}\npopulations:\n${more}\n`, 'changed.yaml');
  const contractors = '  - { name: contractors, when: { groups: [/c] }, ladder: { warn: { after: 14d } } }';

  it("a new one: what its people had before is the policy's ladder", () => {
    const lines = policyDifferences(defaultPolicy, withPopulation(contractors)).map(inWords);
    expect(lines).toContain('population "contractors": ladder.warn.after: 30d → 14d (harsher)');
    expect(lines).toContain('population "contractors": ladder.delete: is gone (was after 730d) (milder)');
  });

  it('one that takes other people, and one that exempts', () => {
    const [one, other] = [
      withPopulation(contractors),
      withPopulation(contractors.replace('[/c]', '[/c, /d]')),
    ];
    expect(policyDifferences(one, other).map(inWords)).toEqual([
      'population "contractors": when.groups: [/c] → [/c, /d] (neither harsher nor milder)',
    ]);
    const exempting = withPopulation(contractors.replace('{ warn: { after: 14d } }', 'never'));
    expect(policyDifferences(one, exempting).map(inWords)).toEqual([
      'population "contractors": ladder: ladder → never (milder)',
    ]);
  });
});
