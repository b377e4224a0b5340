/** What a policy means for one identity. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/lifecycle/decide.js';
import type { Plan } from '../../src/domain/plan.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import {
  absentState,
  anna,
  day,
  defaultPolicy,
  defaultText,
  enabled,
  epoch,
  exactPolicy,
  hour,
  planOf,
  smallPolicy,
} from './fixtures.js';

const names = (plan: Plan): string[] => plan.rungs.map(({ rung }) => rung);
const revocation = (plan: Plan) => plan.rungs.find(({ rung }) => rung === 'revoke');
const wholeLadder = ['warn', 'suspend', 'revoke', 'winback', 'deactivate', 'delete'];

function withRoles(roles: string) {
  return parsePolicyFile(defaultText.replace('roles:\n', `roles:\n${roles}`), 'roles.yaml');
}

describe('exemption', () => {
  it('is usual for accounts behind which nobody is, unless the policy says otherwise', () => {
    const silent = smallPolicy('warn: {after: 30d}');
    for (const accountType of ['service', 'trusted_integration', 'break_glass']) {
      expect(planOf(silent, { accountType }).exempt, accountType).toBe('account-type');
    }
    expect(planOf(silent, { accountType: 'contractor' }).exempt).toBeUndefined();
    const outspoken = smallPolicy(
      'warn: {after: 30d}',
      'accountTypes: { service: ladder, contractor: never }\n',
    );
    expect(planOf(outspoken, { accountType: 'service' }).exempt).toBeUndefined();
    expect(planOf(outspoken, { accountType: 'contractor' }).exempt).toBe('account-type');
    expect(planOf(outspoken, { accountType: 'break_glass' }).exempt).toBe('account-type');
  });

  it('comes by account type, role set by an admin, opt-out, exclusion of the identity or of its schema', () => {
    const excluding = {
      ...exactPolicy,
      exclusions: { identities: [{ id: anna.toUpperCase() }], schemas: ['robot'] },
    };
    expect(planOf(exactPolicy, { accountType: 'service' }).exempt).toBe('account-type');
    expect(planOf(exactPolicy, { adminRole: 'service' }).exempt).toBe('role');
    expect(planOf(exactPolicy, { optedOut: true }).exempt).toBe('opt-out');
    expect(planOf(excluding).exempt).toBe('excluded-identity');
    expect(
      planOf({ ...excluding, exclusions: { identities: [], schemas: ['robot'] } }, { schemaId: 'robot' })
        .exempt,
    ).toBe('excluded-schema');
  });

  it.each([
    {},
    { accountType: 'regular' },
    { accountType: 'unheard-of' },
    { adminRole: 'constructor' },
    { accountType: '__proto__' },
  ])('does not come by %j', (more) => {
    expect(planOf(exactPolicy, more).exempt).toBeUndefined();
  });

  it('never comes by a role that the person can write', () => {
    const plan = planOf(exactPolicy, { traitsRole: 'service' });
    expect(plan.exempt).toBeUndefined();
    expect(plan.rungs).toEqual(planOf().rungs);
  });

  it('comes by an operator, whatever the policy says', () => {
    const plan = planOf({ ...exactPolicy, honourOptOut: false }, { exemption: 'break-glass' });
    expect(plan.exempt).toBe('operator:break-glass');
    const decision = decide({ state: absentState(), plan, identity: enabled(), now: epoch + 900 * day });
    expect(decision).toMatchObject({
      blocked: { by: 'exempt', why: 'an operator exempted it (break-glass)' },
    });
  });

  it('by exclusion may name its kind, its owner and its review date', () => {
    const file = (line: string) =>
      parsePolicyFile(defaultText.replace('identities: []', `identities: [${line}]`), 'x.yaml');
    const whole = file(
      `{ id: ${anna}, kind: break-glass, owner: team/platform, reviewAt: 2027-01-31 }, ${anna}`,
    );
    expect(whole.exclusions.identities).toEqual([
      { id: anna, kind: 'break-glass', owner: 'team/platform', reviewAt: Date.UTC(2027, 0, 31) },
      { id: anna },
    ]);
    expect(planOf(whole).exempt).toBe('excluded-identity');
    for (const [line, problem] of [
      [`{ id: ${anna}, owner: ops@example.org }`, /identities.0.owner: takes an opaque id.*never an e-mail/],
      [`{ id: ${anna}, reviewAt: soon }`, /identities.0.reviewAt: is not a date. Write it as/],
      [`{ id: ${anna}, kind: friend }`, /identities.0.kind: /],
      [`{ id: ${anna}, until: 2027-01-31 }`, /until: is not a field/],
      ['{ id: anna }', /identities.0.id: is not a UUID/],
    ] as const) {
      expect(() => file(line)).toThrow(problem);
    }
  });

  it('by opt-out can be switched off', () => {
    expect(planOf({ ...exactPolicy, honourOptOut: false }, { optedOut: true }).exempt).toBeUndefined();
  });
});

describe('the warning', () => {
  const ladder = 'warn: {after: 30d}\nsuspend: {after: 60d, noticeFloor: 7d}';
  const pulled = (suspend: string) =>
    planOf(smallPolicy(ladder, `roles: { admin: { suspend: ${suspend} } }\n`), { adminRole: 'admin' });
  const ahead = (plan: Plan) => plan.rungs.map(({ rung, afterMs }) => [rung, afterMs / day]);

  it.each([
    ['{ after: 20d }', 13],
    ['{ after: 30d }', 23],
    ['{ after: 10d }', 5],
  ])('is taken along where a role pulls the suspension before it: %s', (suspend, warnAfter) => {
    const plan = pulled(suspend);
    expect(ahead(plan)).toEqual([
      ['warn', warnAfter],
      ['suspend', Number(/\d+/.exec(suspend)?.[0])],
    ]);
    const unwarned = absentState();
    const decision = decide({ state: unwarned, plan, identity: enabled(), now: epoch + 100 * day });
    expect(decision).toMatchObject({ kind: 'rung', rung: { rung: 'warn' } });
  });

  it('keeps its time otherwise, and a ladder without a warning gets none', () => {
    expect(ahead(pulled('{ after: 40d }'))).toEqual([
      ['warn', 30],
      ['suspend', 40],
    ]);
    expect(names(planOf(smallPolicy('suspend: {after: 60d, noticeFloor: 7d}')))).toEqual(['suspend']);
  });
});

describe('roles', () => {
  it('a rung pulled ahead drops the milder ones behind it', () => {
    const plan = planOf(exactPolicy, { adminRole: 'admin' });
    expect(names(plan)).toEqual(['revoke', 'winback', 'deactivate', 'delete']);
    expect(revocation(plan)).toMatchObject({
      afterMs: 7 * day,
      noticeLeadsMs: [2 * day],
      noticeFloorMs: 2 * day,
    });
    expect(names(planOf(exactPolicy, { adminRole: 'user' }))).toEqual(wholeLadder);
  });

  it('from traits tighten', () => {
    expect(planOf(exactPolicy, { traitsRole: 'admin' }).rungs).toEqual(
      planOf(exactPolicy, { adminRole: 'admin' }).rungs,
    );
  });

  it.each([
    ['a later rung', 'after: 200d'],
    ['an earlier rung here and a later one there', 'after: 80d\n    winback:\n      after: 200d'],
    ['waiting for a notice that may never get through', 'withoutNotice: wait'],
    ['a longer floor', 'notices: [20d]\n      noticeFloor: 20d'],
    ['a longer lead', 'notices: [20d]'],
    ['more notices', 'notices: [7d, 1d]'],
  ])('from traits never loosen: %s', (_what, override) => {
    const policy = withRoles(`  vip:\n    revoke:\n      ${override}\n`);
    expect(planOf(policy, { traitsRole: 'vip' }).rungs).toEqual(planOf(policy).rungs);
    expect(planOf(policy, { adminRole: 'vip' }).rungs).not.toEqual(planOf(policy).rungs);
  });

  it('set by an admin win over those from traits', () => {
    expect(planOf(exactPolicy, { adminRole: 'user', traitsRole: 'admin' }).rungs).toEqual(planOf().rungs);
  });

  it('that the policy does not define change nothing', () => {
    for (const role of ['unheard-of', 'constructor', '__proto__', 'toString']) {
      expect(planOf(exactPolicy, { adminRole: role, traitsRole: role }).rungs).toEqual(planOf().rungs);
    }
  });

  it('may put the win-back mail ahead of a revocation, which stays', () => {
    const plan = planOf(withRoles('  late:\n    revoke:\n      after: 200d\n'), { adminRole: 'late' });
    expect(names(plan)).toEqual(['warn', 'suspend', 'winback', 'revoke', 'deactivate', 'delete']);
  });
});

describe('accounts of which no address was ever confirmed', () => {
  const ladder = 'warn: {after: 30d}\n  delete: {after: 730d, notices: [30d, 7d], noticeFloor: 30d}';
  const unconfirmed = 'unconfirmed: { delete: { after: 30d, notices: [7d], noticeFloor: 7d } }\n';
  const deletion = (subject: Parameters<typeof planOf>[1], more = '') =>
    planOf(smallPolicy(ladder, `${unconfirmed}${more}`), subject).rungs.find(({ rung }) => rung === 'delete');
  const early = { afterMs: 30 * day, noticeLeadsMs: [7 * day], noticeFloorMs: 7 * day };

  it('have rungs of their own where the policy says so, and the ladder otherwise', () => {
    expect(deletion({ unconfirmed: true })).toMatchObject(early);
    expect(deletion({})).toMatchObject({ afterMs: 730 * day });
    expect(planOf(smallPolicy(ladder), { unconfirmed: true }).rungs).toEqual(
      planOf(smallPolicy(ladder)).rungs,
    );
  });

  it('a role set by an admin wins; a role from traits never loosens them', () => {
    const roles = 'roles: { partner: { delete: { after: 400d } } }\n';
    expect(deletion({ unconfirmed: true, adminRole: 'partner' }, roles)).toMatchObject({
      afterMs: 400 * day,
    });
    expect(deletion({ unconfirmed: true, traitsRole: 'partner' }, roles)).toMatchObject(early);
  });

  it('an exempt one stays exempt', () => {
    const plan = planOf(smallPolicy(ladder, unconfirmed), { unconfirmed: true, accountType: 'service' });
    expect(plan.exempt).toBe('account-type');
  });
});

it('jitter makes every rung later, by less than its spread, and the same each time', () => {
  const plan = planOf(defaultPolicy);
  expect(plan.rungs).toEqual(planOf(defaultPolicy).rungs);
  const delays = plan.rungs.map((rung, index) => rung.afterMs - (planOf().rungs[index]?.afterMs ?? 0));
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...delays)).toBeLessThan(hour);
  expect(new Set(delays).size).toBe(delays.length);
});

it('a ladder of few rungs is planned unchanged', () => {
  const plan = planOf(smallPolicy('warn: {after: 3d}\nsuspend: {after: 9d, noticeFloor: 2d}'));
  expect(plan.rungs).toEqual([
    {
      rung: 'warn',
      afterMs: 3 * day,
      noticeLeadsMs: [],
      noticeFloorMs: 0,
      withoutNotice: 'proceed',
      mailAfter: false,
      keepsAlive: ['human', 'token'],
    },
    {
      rung: 'suspend',
      afterMs: 9 * day,
      noticeLeadsMs: [],
      noticeFloorMs: 2 * day,
      withoutNotice: 'proceed',
      mailAfter: false,
      keepsAlive: ['human', 'token'],
    },
  ]);
  expect(plan).toMatchObject({
    recheckMs: 7 * day,
    // A twentieth of the shortest rung, as the default of a day is longer.
    signalWindowMs: (3 * day) / 20,
    retry: { attempts: 3, firstAfterMs: 10_000, longestAfterMs: hour },
  });
});
