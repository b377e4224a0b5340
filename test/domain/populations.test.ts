/** Populations: other ladders for some people, who belongs to which, and what a policy file may say of them. */
import { describe, expect, it } from 'vitest';
import type { Plan, PolicySubject } from '../../src/domain/plan.js';
import { subjectOf } from '../../src/looks/plan-in-force.js';
import type { KratosIdentity } from '../../src/ory/kratos-identity.js';
import { PolicyFileError } from '../../src/policies/yaml.js';
import { anna, day, planOf, smallPolicy } from './fixtures.js';

const ladder =
  'warn: { after: 30d }\nrevoke: { after: 90d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }';

const populations = `
populations:
  - { name: board, when: { groups: [/board] }, ladder: never }
  - name: contractors
    when: { accountTypes: [contractor], schemas: [person] }
    ladder: { warn: { after: 14d }, revoke: { after: 30d, notices: [3d], noticeFloor: 3d, withoutNotice: proceed } }
  - name: partners
    when: { groups: [/partners, /resellers] }
    ladder: { warn: { after: 60d } }
roles: { admin: { revoke: { after: 20d } } }
`;

const policy = smallPolicy(ladder, populations);
const days = (more: Partial<PolicySubject>) =>
  Object.fromEntries(planOf(policy, more).rungs.map(({ rung, afterMs }) => [rung, afterMs / day]));
const usual = { warn: 30, revoke: 90 };

describe('an identity has the ladder of', () => {
  it.each<[string, Partial<PolicySubject>, Record<string, number>]>([
    ['the policy, where no population fits', {}, usual],
    [
      'the policy, where only one of two fields fits',
      { accountType: 'contractor', schemaId: 'robot' },
      usual,
    ],
    ['the population whose fields all fit', { accountType: 'contractor' }, { warn: 14, revoke: 30 }],
    [
      'the population that names its account type in another case',
      { accountType: 'Contractor' },
      { warn: 14, revoke: 30 },
    ],
    ['the population that names any of its groups', { groups: ['/sales', '/resellers'] }, { warn: 60 }],
    [
      'the first of two that fit',
      { accountType: 'contractor', groups: ['/partners'] },
      { warn: 14, revoke: 30 },
    ],
    [
      'its population, changed by its role',
      { accountType: 'contractor', adminRole: 'admin' },
      { warn: 14, revoke: 20 },
    ],
    [
      'its population without a rung that its role would change',
      { groups: ['/partners'], adminRole: 'admin' },
      { warn: 60 },
    ],
    ['the policy, changed by its role', { adminRole: 'admin' }, { revoke: 20 }],
  ])('%s', (_case, subject, expected) => {
    expect(days(subject)).toEqual(expected);
  });

  it('none, in a population that is exempt', () => {
    expect(planOf(policy, { groups: ['/board', '/partners'] }).exempt).toBe('population');
  });

  it('none, where it is exempt anyway: a population puts nobody back on the ladder', () => {
    expect(planOf(policy, { groups: ['/partners'], accountType: 'service' }).exempt).toBe('account-type');
  });
});

describe('metadata_admin.groups', () => {
  const planWith = (groups: unknown, under = policy): Plan => {
    const identity = { metadata_admin: { groups }, schema_id: 'person', traits: { groups: ['/partners'] } };
    return planOf(under, subjectOf(anna, identity as unknown as KratosIdentity, undefined));
  };

  it.each([
    [['/sales', ' /partners '], 60],
    ['/partners', 60],
    [['/Partners'], 60],
    [[], 30],
    [null, 30],
    ['', 30],
    [undefined, 30],
  ])('%j: the warning comes after %d days, whatever the traits say', (groups, warn) => {
    expect((planWith(groups).rungs[0]?.afterMs ?? 0) / day).toBe(warn);
  });

  it.each([
    [[7]],
    [{ '/partners': true }],
    [true],
    [[['/partners']]],
  ])('%j is not understood, and never harsher than an exemption', (groups) => {
    expect(planWith(groups)).toMatchObject({ exempt: 'not-understood', unclear: ['groups'] });
  });

  it('does not matter to a policy that asks for no group', () => {
    expect(planWith({ odd: 1 }, smallPolicy(ladder)).exempt).toBeUndefined();
  });
});

describe('a policy file is refused for', () => {
  const problems = (section: string): string[] => {
    try {
      smallPolicy(ladder, `populations:\n${section}\nroles: { admin: { revoke: { after: 20d } } }\n`);
    } catch (error) {
      if (error instanceof PolicyFileError)
        return error.problems.map(({ field, message }) => `${field}: ${message}`);
      throw error;
    }
    return [];
  };

  it.each([
    [
      'a population without a choice',
      '  - { name: a, when: {}, ladder: never }',
      /populations\.0\.when: names nobody/,
    ],
    ['an empty choice', '  - { name: a, when: { groups: [] }, ladder: never }', /groups: is empty/],
    [
      'traits as a choice',
      '  - { name: a, when: { traits: [x] }, ladder: never }',
      /when\.traits: is not a field/,
    ],
    [
      'a name that is no name',
      '  - { name: A B, when: { roles: [x] }, ladder: never }',
      /name: takes lower-case/,
    ],
    [
      'a name that is there twice',
      '  - { name: a, when: { roles: [x] }, ladder: never }\n  - { name: a, when: { roles: [y] }, ladder: never }',
      /populations\.1\.name: "a" is there twice/,
    ],
    [
      'a population that an earlier one hides',
      '  - { name: a, when: { roles: [x, y] }, ladder: never }\n  - { name: b, when: { roles: [y], groups: [g] }, ladder: never }',
      /populations\.1\.when: fits nobody whom "a" above does not take/,
    ],
    [
      'a ladder without a rung',
      '  - { name: a, when: { roles: [x] }, ladder: {} }',
      /populations\.0\.ladder: has no rung/,
    ],
    [
      'a ladder that does not ascend',
      '  - { name: a, when: { roles: [x] }, ladder: { warn: { after: 40d }, suspend: { after: 30d, noticeFloor: 1d } } }',
      /populations\.0\.ladder\.suspend\.after: .*not later than warn/,
    ],
    [
      'seconds',
      '  - { name: a, when: { roles: [x] }, ladder: { warn: { after: 30s } } }',
      /shorter than a day/,
    ],
    [
      'a role that does not fit the ladder',
      '  - { name: a, when: { roles: [x] }, ladder: { revoke: { after: 60d, notices: [30d], noticeFloor: 7d, withoutNotice: wait } } }',
      /with roles\.admin: the first notice \(30d ahead\)/,
    ],
  ])('%s', (_case, section, problem) => {
    expect(problems(section).join('\n')).toMatch(problem);
  });

  it('nothing, where an earlier population is narrower', () => {
    const section =
      '  - { name: a, when: { roles: [x], groups: [g] }, ladder: never }\n  - { name: b, when: { roles: [x] }, ladder: never }';
    expect(problems(section)).toEqual([]);
  });
});
