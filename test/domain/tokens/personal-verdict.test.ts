import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  personalLimits,
  shortestInactive,
  shortestLifetime,
} from '../../../src/domain/tokens/personal-limits.js';
import { judgeToken, missingScopes, type TokenOwner } from '../../../src/domain/tokens/personal-verdict.js';
import { day, personal } from './fixtures.js';

const start = Date.UTC(2026, 0, 1);
const nobody: TokenOwner = {};
const usual = { type: 'personal', roles: [] };

function judge(
  token: Parameters<typeof judgeToken>[0],
  now: number,
  fields: object = {},
  owner: TokenOwner = nobody,
) {
  const policy = personal(fields);
  return judgeToken(token, personalLimits(policy, usual), owner, policy, now);
}

describe('a personal access token', () => {
  it('that was never used ends 365 days after its creation, to the millisecond', () => {
    expect(judge({ createdAt: start }, start + 365 * day - 1)).toEqual({
      state: 'live',
      expiresAt: null,
      inactiveAt: start + 365 * day,
    });
    expect(judge({ createdAt: start }, start + 365 * day)).toEqual({
      state: 'refused',
      why: 'inactive',
      rule: 'inactive',
      at: start + 365 * day,
    });
  });

  it('counts from its last use', () => {
    const token = { createdAt: start, lastUsedAt: start + 300 * day };
    expect(judge(token, start + 400 * day).state).toBe('live');
    expect(judge(token, start + 665 * day)).toMatchObject({ why: 'inactive', at: start + 665 * day });
  });

  it('never ends for inactivity where the policy says never', () => {
    expect(judge({ createdAt: start }, start + 40_000 * day, { inactive: 'never' })).toEqual({
      state: 'live',
      expiresAt: null,
      inactiveAt: null,
    });
  });

  it('created at 01:00 +05:30 is usable at the same instant, and ends by instants', () => {
    const createdAt = Date.parse('2026-03-01T01:00:00+05:30');
    expect(createdAt).toBe(Date.parse('2026-02-28T19:30:00Z'));
    expect(judge({ createdAt }, createdAt).state).toBe('live');
    expect(judge({ createdAt }, createdAt + 365 * day - 1).state).toBe('live');
    expect(judge({ createdAt }, createdAt + 365 * day).state).toBe('refused');
  });

  it.each([
    // Clocks in Berlin go forward on 2026-03-29 and back on 2026-10-25.
    ['forward', '2026-03-01T02:30:00+01:00', '2026-04-30T03:30:00+02:00'],
    ['back', '2026-10-01T02:30:00+02:00', '2026-11-30T01:30:00+01:00'],
  ])('60 days across a change of the clocks %s end at the exact instant', (_way, from, to) => {
    const createdAt = Date.parse(from);
    const fields = { inactive: '60d' };
    expect(judge({ createdAt }, Date.parse(to) - 1, fields).state).toBe('live');
    expect(judge({ createdAt }, Date.parse(to), fields)).toMatchObject({
      why: 'inactive',
      at: Date.parse(to),
    });
  });

  it('ends at its expiry, however much it is used', () => {
    const token = { createdAt: start, expiresAt: start + 30 * day, lastUsedAt: start + 30 * day - 1 };
    expect(judge(token, start + 30 * day - 1)).toMatchObject({ state: 'live', expiresAt: start + 30 * day });
    expect(judge(token, start + 30 * day)).toEqual({
      state: 'refused',
      why: 'expired',
      at: start + 30 * day,
    });
  });

  it('ends at a ceiling that was lowered after its creation', () => {
    const token = { createdAt: start, expiresAt: start + 300 * day };
    expect(judge(token, start + 90 * day, { longestLifetime: '90d' })).toEqual({
      state: 'refused',
      why: 'expired',
      rule: 'longestLifetime',
      at: start + 90 * day,
    });
  });

  it('over both limits ends by the earlier', () => {
    const token = { createdAt: start, expiresAt: start + 10 * day };
    expect(judge(token, start + 400 * day)).toMatchObject({ why: 'expired' });
    expect(judge({ ...token, expiresAt: start + 370 * day }, start + 400 * day)).toMatchObject({
      why: 'inactive',
    });
  });

  it('created on a machine whose clock is ahead is live at once, and lives no longer', () => {
    const token = { createdAt: start + day };
    expect(judge(token, start)).toMatchObject({ state: 'live', inactiveAt: start + 365 * day });
    expect(judge(token, start, { longestLifetime: '5d' })).toMatchObject({ expiresAt: start + 5 * day });
  });

  it.each(['revoked', 'rotated', 'expired', 'inactive'] as const)('that ended as %s stays so', (ended) => {
    expect(judge({ createdAt: start, ended }, start)).toEqual({ state: 'refused', why: ended });
  });

  it.each([
    ['active', [true, true, true]],
    ['warned', [true, true, true]],
    ['suspended', [true, true, false]],
    ['revoked', [true, false, false]],
    ['deactivated', [false, false, false]],
    ['deleted', [false, false, false]],
  ] as const)('of an owner who is %s is live where the policy refuses from a later stage', (stage, live) => {
    const states = ['deactivated', 'revoked', 'suspended'].map(
      (refusedFrom) => judge({ createdAt: start }, start, { refusedFrom }, { stage }).state === 'live',
    );
    expect(states).toEqual(live);
  });

  it('of an owner whom an administrator disabled is refused', () => {
    const owner = { stage: 'active', isDisabledByAdmin: true } as const;
    expect(judge({ createdAt: start }, start, {}, owner)).toEqual({ state: 'refused', why: 'owner' });
  });

  it('of an exempt owner ends at its expiry only', () => {
    const token = { createdAt: start, expiresAt: start + 900 * day };
    const owner = { isSpared: true } as const;
    expect(judge(token, start + 800 * day, {}, owner)).toMatchObject({ state: 'live', inactiveAt: null });
    expect(judge(token, start + 900 * day, {}, owner)).toMatchObject({ why: 'expired' });
  });

  it('is live before its ends and refused from the earlier on, whatever the times', () => {
    const time = fc.integer({ min: 0, max: 2_000 * day });
    fc.assert(
      fc.property(time, time, fc.option(time), time, (created, used, expires, now) => {
        const token = {
          createdAt: created,
          lastUsedAt: used,
          ...(expires === null ? {} : { expiresAt: expires }),
        };
        const verdict = judge(token, now);
        const ends = [
          Math.min(Math.max(created, used), now) + 365 * day,
          ...(expires === null ? [] : [expires]),
        ];
        expect(verdict.state).toBe(now >= Math.min(...ends) ? 'refused' : 'live');
      }),
    );
  });

  it('lives no shorter for a later use', () => {
    const time = fc.integer({ min: 0, max: 1_000 * day });
    fc.assert(
      fc.property(time, time, time, (one, other, now) => {
        const [earlier, later] = [Math.min(one, other), Math.max(one, other)];
        const isLive = (lastUsedAt: number) => judge({ createdAt: 0, lastUsedAt }, now).state === 'live';
        return !isLive(earlier) || isLive(later);
      }),
    );
  });
});

describe('limits', () => {
  const policy = personal({
    inactive: '365d',
    longestLifetime: '200d',
    types: { ci: { inactive: 'never' }, deploy: { inactive: '30d', longestLifetime: '90d' } },
    roles: { admin: { inactive: '60d', longestLifetime: '30d' } },
  });

  it.each([
    ['personal', [], 365, 'inactive', 200, 'longestLifetime'],
    ['ci', [], null, 'types:ci', 200, 'longestLifetime'],
    ['deploy', [], 30, 'types:deploy', 90, 'types:deploy'],
    ['ci', ['admin'], 60, 'roles:admin', 30, 'roles:admin'],
    ['deploy', ['admin'], 30, 'types:deploy', 30, 'roles:admin'],
    ['gone-from-the-policy', ['unknown', 'constructor'], 365, 'inactive', 200, 'longestLifetime'],
    ['constructor', [], 365, 'inactive', 200, 'longestLifetime'],
  ])('of type %s and roles %j', (type, roles, inactiveDays, inactiveRule, lifetimeDays, lifetimeRule) => {
    expect(personalLimits(policy, { type, roles })).toEqual({
      inactiveMs: inactiveDays === null ? null : inactiveDays * day,
      inactiveRule,
      lifetimeMs: lifetimeDays * day,
      lifetimeRule,
    });
  });
});

describe('the shortest limit of any token', () => {
  it.each<[string, object, number | null, number | null]>([
    ['all tokens', { inactive: '365d', longestLifetime: '200d' }, 365, 200],
    [
      'a type',
      {
        inactive: '365d',
        longestLifetime: '200d',
        types: { ci: { inactive: '30d', longestLifetime: '20d' } },
      },
      30,
      20,
    ],
    [
      'a role',
      {
        inactive: '365d',
        longestLifetime: '200d',
        roles: { admin: { inactive: '60d', longestLifetime: '30d' } },
      },
      60,
      30,
    ],
    ['a type that has no limits', { inactive: '365d', types: { ci: { inactive: 'never' } } }, 365, null],
    ['nothing', { inactive: 'never' }, null, null],
    [
      'a role alone',
      { inactive: 'never', roles: { admin: { inactive: '60d' }, auditor: { longestLifetime: '7d' } } },
      60,
      7,
    ],
  ])('is set by %s', (_what, fields, inactiveDays, lifetimeDays) => {
    const ms = (days: number | null) => (days === null ? null : days * day);
    expect(shortestInactive(personal(fields))).toBe(ms(inactiveDays));
    expect(shortestLifetime(personal(fields))).toBe(ms(lifetimeDays));
  });

  it('a role without a limit of its own leaves the rule of the type', () => {
    const policy = personal({
      inactive: '30d',
      longestLifetime: '90d',
      types: { ci: { inactive: 'never' } },
      roles: { admin: { longestLifetime: '90d' }, auditor: { inactive: '30d' } },
    });
    expect(personalLimits(policy, { type: 'personal', roles: ['admin', 'auditor'] })).toMatchObject({
      inactiveRule: 'inactive',
      lifetimeRule: 'longestLifetime',
    });
    expect(personalLimits(policy, { type: 'ci', roles: ['admin'] }).inactiveMs).toBeNull();
  });
});

it('scopes that are missing are named in the order asked for', () => {
  expect(missingScopes(['a', 'b'], ['c', 'a', 'd'])).toEqual(['c', 'd']);
  expect(missingScopes([], [])).toEqual([]);
});
