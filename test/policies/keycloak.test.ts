/** Workflows of Keycloak as policies: what carries over, what is said, and what is refused. */
import { describe, expect, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { importKeycloak } from '../../src/policies/keycloak/command.js';
import { rolesLeftAlone } from '../../src/policies/keycloak/condition.js';
import { keycloakDuration } from '../../src/policies/keycloak/definition.js';
import { policyIdOf } from '../../src/policies/keycloak/policy-text.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';

/** In the form of Keycloak's own documentation: reminder, notice, deactivation, and a mail afterwards. */
const inactive = `
name: Track inactive users
on: user-authenticated
schedule:
  after: 5s
  batch-size: 2
concurrency:
  restart-in-progress: true
steps:
  - uses: notify-user
    after: 180d
    with:
      message: We miss you!
  - uses: notify-user
    after: 60d
  - uses: disable-user
    after: 7d
  - uses: notify-user
`;

const imported = (text: string, flags = {}) => importKeycloak(text, 'workflow.yaml', flags);
const policyOf = (text: string, flags = {}) => parsePolicyFile(imported(text, flags), 'imported');
const steps = (...lines: string[]) =>
  `name: one\non: user-authenticated\nconcurrency: { restart-in-progress: true }\nsteps:\n${lines.map((line) => `  - ${line}`).join('\n')}\n`;

describe('a workflow of Keycloak becomes a policy', () => {
  it('whose rungs count from the last sign of life, with the mails as warning, notice and mail afterwards', () => {
    const { id, ladder } = policyOf(inactive);
    expect(id).toBe('track-inactive-users');
    expect(ladder).toEqual({
      warn: { after: 180 * dayMs },
      deactivate: {
        after: 247 * dayMs,
        notices: [7 * dayMs],
        noticeFloor: 7 * dayMs,
        withoutNotice: 'wait',
        mailAfter: true,
      },
    });
  });

  it('from JSON as the admin API writes it, with texts for flags and numbers', () => {
    const json = JSON.stringify({
      name: 'From the API',
      enabled: 'true',
      on: 'USER_LOGGED_IN',
      concurrency: { 'restart-in-progress': 'true' },
      steps: [{ uses: 'delete-user', after: String(730 * 86_400), config: {} }],
    });
    expect(policyOf(json).ladder.delete).toMatchObject({ after: 730 * dayMs, notices: [7 * dayMs] });
  });

  it('with notices of the deletion from the mails between deactivation and deletion', () => {
    const { ladder } = policyOf(
      steps(
        'uses: notify-user\n    after: 83d',
        'uses: disable-user\n    after: 7d',
        'uses: notify-user\n    after: 60d',
        'uses: notify-user\n    after: 23d',
        'uses: delete-user\n    after: 7d',
      ),
    );
    expect(ladder.deactivate).toMatchObject({ after: 90 * dayMs, notices: [7 * dayMs] });
    expect(ladder.delete).toMatchObject({
      after: 180 * dayMs,
      notices: [30 * dayMs, 7 * dayMs],
      noticeFloor: 30 * dayMs,
    });
  });

  it('with a notice where the workflow gave none, and says so', () => {
    const text = imported(steps('uses: disable-user\n    after: 35d'));
    expect(parsePolicyFile(text, 'imported').ladder.deactivate?.notices).toEqual([7 * dayMs]);
    expect(text).toMatch(/deactivate gets a notice 7d ahead: the workflow gave none/);
  });

  it('that exempts the roles which the condition leaves alone', () => {
    const { roles } = policyOf(
      `${inactive}if: not has-role(realm-management/realm-admin) and !has-role("ops_lead")\n`,
    );
    expect(roles).toEqual({ 'realm-management/realm-admin': 'never', ops_lead: 'never' });
  });

  it.each([
    [
      'a step that is none of the ladder',
      steps('uses: revoke-role', 'uses: disable-user\n    after: 35d'),
      /step 1 \(revoke-role\) is left out/,
    ],
    ['a schedule', inactive, /schedule and batch-size have no counterpart/],
    ['a restart', steps('uses: notify-user\n    after: 30d', 'uses: restart'), /restarted itself/],
    [
      'no restart at sign-in',
      'name: a\non: user-authenticated\nsteps: [{ uses: disable-user, after: 35d }]',
      /did not restart the workflow/,
    ],
    [
      'steps after the deletion',
      steps('uses: delete-user\n    after: 90d', 'uses: notify-user'),
      /steps after delete-user are left out/,
    ],
    [
      'a second reminder',
      steps(
        'uses: notify-user\n    after: 30d',
        'uses: notify-user\n    after: 30d',
        'uses: disable-user\n    after: 300d',
      ),
      /the mail after 60d is left out/,
    ],
    ['a workflow that was not enabled', `${inactive}enabled: false\n`, /was not enabled in Keycloak/],
  ])('with a remark on %s', (_case, workflow, remark) => {
    expect(imported(workflow)).toMatch(remark);
  });

  it('whatever its name holds: no line of the file comes from it', () => {
    const name = JSON.stringify('a\nladder: {}\u2028exclusions: "\u202e" # \u0000');
    const text = imported(`name: ${name}\n${inactive.replace(/^\nname.*\n/, '')}`);
    expect(parsePolicyFile(text, 'imported').ladder).toEqual(policyOf(inactive).ladder);
    expect(text).not.toMatch(/[\p{Cf}\p{Zl}]|\\u0000/u);
  });
});

describe('a workflow of Keycloak is refused', () => {
  it.each([
    [
      'that counts no inactivity',
      inactive.replace('user-authenticated', 'user-created'),
      {},
      /workflow.yaml: workflow "Track inactive users": it begins on "user-created".*last sign of life/,
    ],
    [
      'without anything for a ladder',
      steps('uses: grant-role'),
      {},
      /none of the steps notify-user, disable-user and delete-user/,
    ],
    [
      'with a condition that a policy can not say',
      `${inactive}if: is-member-of(/sales)\n`,
      {},
      /"is-member-of\(\/sales\)" is none that a policy can say.*--without-condition/,
    ],
    [
      'with a duration of another kind',
      inactive.replace('180d', 'soon'),
      {},
      /workflow\.yaml:\d+: steps\.0\.after: is not a duration/,
    ],
    ['without steps', 'name: a\non: user-authenticated', {}, /steps: is missing/],
    ['that acts within seconds', steps('uses: disable-user\n    after: 5s'), {}, /shorter than a day/],
    [
      'by a name that the file does not have',
      inactive,
      { workflow: 'other' },
      /has no such workflow. It has: "Track inactive users"/,
    ],
    [
      'out of several, unless one is named',
      `[{ name: a, on: user-authenticated, steps: [{ uses: delete-user }] }, { name: b, on: x, steps: [{ uses: y }] }]`,
      {},
      /several workflows.*"a", "b"/,
    ],
    ['with an id that no policy has', inactive, { id: 'No Id' }, /--id: is not the id of a policy/],
  ])('%s', (_case, workflow, flags, problem) => {
    expect(() => imported(workflow, flags)).toThrow(problem);
  });

  it('never for a condition that the operator left out, and the file says who is reached', () => {
    const text = imported(`${inactive}if: is-member-of(/sales)\n`, { withoutCondition: true });
    expect(text).toMatch(/NOT CARRIED OVER.*Everybody who follows this policy is reached/);
  });
});

it.each([
  ['30d', 30 * dayMs],
  ['5', 5_000],
  ['250ms', 250],
  ['P30D', 30 * dayMs],
  ['PT1H30M', 5_400_000],
  ['P', undefined],
  ['-3d', undefined],
  ['3 weeks', undefined],
])('Keycloak means %s by %s ms', (text, expected) => {
  expect(keycloakDuration(text)).toBe(expected);
});

it.each([
  ['has-role(admin)', undefined],
  ['not has-role(admin) or is-member-of(/a)', undefined],
  ['not (has-role(admin))', undefined],
  ['not has-role(admin)', ['admin']],
])('the condition %s leaves alone: %s', (condition, roles) => {
  expect(rolesLeftAlone(condition)).toEqual(roles);
});

it.each([
  ['Déjà vu (2026)', 'deja-vu-2026'],
  ['日本', 'from-keycloak'],
  ['x'.repeat(50), 'x'.repeat(32)],
])('the workflow %s gives the policy the id %s', (name, id) => {
  expect(policyIdOf(name)).toBe(id);
});
