import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessClaims } from '../../../src/domain/tokens/access-claims.js';
import {
  endByTime,
  idleLimitOf,
  judgeToken,
  type SubjectStanding,
  startOf,
  type TokenUse,
} from '../../../src/domain/tokens/access-verdict.js';
import { accessPolicy, at, claimsOf, hour, minute, second } from './access-fixtures.js';

const policy = accessPolicy();
const leeway = 30 * second;
const limit = { ms: 20 * minute, rule: 'idle' };

/** Claims of a token that does not say when it was issued. */
function withoutIssue(more: Partial<AccessClaims> = {}): AccessClaims {
  const { issuedAt: _, ...rest } = claimsOf(more);
  return rest;
}

describe('by its own times, a token', () => {
  const reasonOf = (claims: AccessClaims, now: number, rules = policy) =>
    endByTime(claims, rules, now)?.reason;

  it('is good until the moment of its exp, and expired from it on', () => {
    const claims = claimsOf({ expiresAt: at + 10 * minute });
    expect(endByTime(claims, policy, at + 10 * minute - 1)).toBeUndefined();
    expect(endByTime(claims, policy, at + 10 * minute)).toEqual({
      state: 'refused',
      reason: 'expired',
      endedAt: at + 10 * minute,
    });
  });

  it('is over an hour after its issue, whatever its exp says', () => {
    const claims = claimsOf({ expiresAt: at + 24 * hour });
    expect(endByTime(claims, policy, at + hour - 1)).toBeUndefined();
    expect(endByTime(claims, policy, at + hour)).toEqual({
      state: 'refused',
      reason: 'lifetime',
      endedAt: at + hour,
    });
  });

  it('that does not say when it was issued is bounded by what is left of it', () => {
    expect(reasonOf(withoutIssue({ expiresAt: at + hour }), at)).toBeUndefined();
    expect(endByTime(withoutIssue({ expiresAt: at + hour + 1 }), policy, at)).toEqual({
      state: 'refused',
      reason: 'lifetime',
      endedAt: at,
    });
  });

  it.each([
    'issuedAt',
    'notBefore',
    'authenticatedAt',
  ] as const)('may have %s in the future by the leeway, and no more', (member) => {
    expect(reasonOf(claimsOf({ [member]: at + leeway }), at)).toBeUndefined();
    expect(endByTime(claimsOf({ [member]: at + leeway + 1 }), policy, at)).toEqual({
      state: 'refused',
      reason: 'not_yet',
      endedAt: at + leeway + 1,
    });
    const strict = accessPolicy({ leeway: 'none' });
    expect(reasonOf(claimsOf({ [member]: at }), at, strict)).toBeUndefined();
    expect(reasonOf(claimsOf({ [member]: at + 1 }), at, strict)).toBe('not_yet');
  });

  it('whose own life is longer than the lifetime is refused from the first request where the policy slides', () => {
    const sliding = accessPolicy({ sliding: true, idle: '10m' });
    expect(reasonOf(claimsOf({ expiresAt: at + 15 * minute }), at, sliding)).toBeUndefined();
    expect(endByTime(claimsOf({ expiresAt: at + 15 * minute + 1 }), sliding, at)).toEqual({
      state: 'refused',
      reason: 'lifetime',
      endedAt: at,
    });
    expect(reasonOf(withoutIssue({ expiresAt: at + 15 * minute + 1 }), at, sliding)).toBe('lifetime');
  });

  it('is refused for what lies in the future first, then for its exp, then for its lifetime', () => {
    const all = claimsOf({ issuedAt: at - 2 * hour, notBefore: at + hour, expiresAt: at - 1 });
    expect(reasonOf(all, at)).toBe('not_yet');
    expect(reasonOf({ ...all, notBefore: at }, at)).toBe('expired');
    expect(reasonOf({ ...all, notBefore: at, expiresAt: at + 1 }, at)).toBe('lifetime');
  });
});

/** Claims with any times around {@link at}, with and without each that may be missing. */
const anyTime = fc.integer({ min: at - 3 * hour, max: at + 3 * hour });
const anyClaims = fc
  .record(
    { expiresAt: anyTime, issuedAt: anyTime, notBefore: anyTime, authenticatedAt: anyTime },
    { requiredKeys: ['expiresAt'] },
  )
  .map((times): AccessClaims => ({ ...withoutIssue(), ...times }));
const anyUse: fc.Arbitrary<TokenUse> = fc.record({ lastUsedAt: anyTime });
const anyPolicy = fc
  .record({
    lifetime: fc.integer({ min: 1, max: 120 }),
    sliding: fc.boolean(),
    leewaySeconds: fc.integer({ min: 0, max: 300 }),
  })
  .map(({ lifetime, sliding, leewaySeconds }) =>
    accessPolicy({
      lifetime: `${lifetime}m`,
      sliding,
      leeway: leewaySeconds === 0 ? 'none' : `${leewaySeconds}s`,
    }),
  );
const known = { standing: {}, limit };

describe('of all tokens', () => {
  it('a good one is younger than its lifetime, and its exp lies ahead', () => {
    fc.assert(
      fc.property(anyClaims, anyUse, anyPolicy, anyTime, (claims, use, rules, now) => {
        if (judgeToken(claims, { ...known, use }, rules, now).state !== 'good') return;
        expect(now).toBeLessThan(claims.expiresAt);
        expect(now).toBeLessThan((claims.issuedAt ?? now) + rules.lifetime);
        if (claims.issuedAt === undefined) expect(claims.expiresAt - now).toBeLessThanOrEqual(rules.lifetime);
        if (rules.sliding) {
          expect(claims.expiresAt - (claims.issuedAt ?? now)).toBeLessThanOrEqual(rules.lifetime);
        }
      }),
    );
  });

  it('none is good longer than its lifetime and the leeway after the first request, whatever it says', () => {
    fc.assert(
      fc.property(
        anyClaims,
        anyUse,
        anyPolicy,
        anyTime,
        fc.nat(4 * hour),
        (claims, use, rules, now, later) => {
          if (endByTime(claims, rules, now) !== undefined) return;
          const end = now + later;
          if (judgeToken(claims, { ...known, use }, rules, end).state !== 'good') return;
          expect(later).toBeLessThan(rules.lifetime + rules.leeway + 1);
        },
      ),
    );
  });

  it('a good one says an end that it does not outlive', () => {
    fc.assert(
      fc.property(anyClaims, anyUse, anyPolicy, anyTime, (claims, use, rules, now) => {
        const verdict = judgeToken(claims, { ...known, use }, rules, now);
        if (verdict.state !== 'good') return;
        const { endsAt, idleEndsAt } = verdict;
        expect(endsAt).toBeGreaterThan(now);
        expect(idleEndsAt).toBeGreaterThan(now);
        expect(idleEndsAt).toBeLessThanOrEqual(now + limit.ms);
        const last = claims.issuedAt === undefined ? claims.expiresAt : endsAt;
        for (const moment of [last, Math.max(now, idleEndsAt)]) {
          expect(judgeToken(claims, { ...known, use }, rules, moment).state).toBe('refused');
        }
      }),
    );
  });

  it('a stricter rule never lengthens one', () => {
    fc.assert(
      fc.property(
        anyClaims,
        anyUse,
        anyTime,
        fc.tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 120 })),
        fc.tuple(fc.nat(40 * minute), fc.nat(40 * minute)),
        (claims, use, now, lifetimes, limits) => {
          const [short, long] = lifetimes
            .toSorted((a, b) => a - b)
            .map((n) => accessPolicy({ lifetime: `${n}m` }));
          const [strict, lax] = limits.toSorted((a, b) => a - b).map((ms) => ({ ms, rule: 'idle' }));
          if (short === undefined || long === undefined || strict === undefined || lax === undefined) {
            throw new Error('two of each were made');
          }
          const before = judgeToken(claims, { use, standing: {}, limit: lax }, long, now);
          const after = judgeToken(claims, { use, standing: {}, limit: strict }, short, now);
          if (after.state !== 'good') return;
          if (before.state !== 'good') throw new Error('the laxer rule refused it');
          expect(after.idleEndsAt).toBeLessThanOrEqual(before.idleEndsAt);
          expect(after.endsAt).toBeLessThanOrEqual(before.endsAt);
        },
      ),
    );
  });

  it('a use or a clock in the future lengthens none', () => {
    fc.assert(
      fc.property(anyClaims, anyPolicy, anyTime, fc.nat(hour), (claims, rules, now, aheadMs) => {
        const ofNow = judgeToken(claims, { ...known, use: { lastUsedAt: now } }, rules, now);
        const ofLater = judgeToken(claims, { ...known, use: { lastUsedAt: now + aheadMs } }, rules, now);
        expect(ofLater).toEqual(ofNow);
      }),
    );
  });

  it('one that begins now has not begun in the future', () => {
    fc.assert(
      fc.property(anyClaims, anyPolicy, anyTime, (claims, rules, now) => {
        const start = startOf(claims, rules, now);
        expect(start).toBeLessThanOrEqual(now);
        if (claims.issuedAt !== undefined)
          expect(start).toBeGreaterThanOrEqual(Math.min(now, claims.issuedAt));
      }),
    );
  });
});

describe('a token counts as used first', () => {
  const now = at + 10 * minute;
  it.each<[string, AccessClaims, number]>([
    ['at its issue', claimsOf(), at],
    ['at the sign-in where that is later', claimsOf({ authenticatedAt: at + minute }), at + minute],
    ['at its issue where the sign-in is earlier', claimsOf({ authenticatedAt: at - hour }), at],
    [
      'at the sign-in where it does not say when it was issued',
      withoutIssue({ authenticatedAt: at - hour }),
      at - hour,
    ],
    [
      'at the earliest issue that its exp allows, where it says nothing',
      withoutIssue({ expiresAt: at + 30 * minute }),
      at - 30 * minute,
    ],
    ['now, where it says the future', claimsOf({ issuedAt: now + second }), now],
  ])('%s', (_what, claims, start) => {
    expect(startOf(claims, policy, now)).toBe(start);
  });
});

describe('by its use, a token', () => {
  const judge = (use: TokenUse, now: number, standing: SubjectStanding = {}, claims = claimsOf()) =>
    judgeToken(claims, { use, standing, limit }, policy, now);

  it('is good until the moment of its idle limit, and idle from it on', () => {
    const lastUsedAt = at + 5 * minute;
    expect(judge({ lastUsedAt }, at + 25 * minute - 1)).toEqual({
      state: 'good',
      idleEndsAt: at + 25 * minute,
      endsAt: at + 30 * minute,
      idleMs: 20 * minute,
      rule: 'idle',
    });
    expect(judge({ lastUsedAt }, at + 25 * minute)).toEqual({
      state: 'refused',
      reason: 'idle',
      endedAt: at + 25 * minute,
      rule: 'idle',
    });
  });

  it('that ended stays ended, for the reason that it ended of', () => {
    for (const reason of ['idle', 'revoked'] as const) {
      const ended = { at: at + minute, reason };
      expect(judge({ lastUsedAt: at + 2 * minute, ended }, at + 2 * minute)).toEqual({
        state: 'refused',
        reason,
        endedAt: at + minute,
      });
    }
  });

  it('is refused by time first, then for a revocation, the stage, the end of its use, and idleness', () => {
    const now = at + 29 * minute;
    const use: TokenUse = { lastUsedAt: at, ended: { at: at + minute, reason: 'revoked' } };
    const standing: SubjectStanding = {
      notBefore: at + minute,
      stage: 'deactivated',
      since: at + 2 * minute,
    };
    const reasons = [
      judge(use, at + 30 * minute, standing),
      judge(use, now, standing),
      judge(use, now, { stage: 'deactivated', since: at + 2 * minute }),
      judge(use, now),
      judge({ lastUsedAt: at }, now),
    ];
    expect(
      reasons.map((verdict) => verdict.state === 'refused' && [verdict.reason, verdict.endedAt]),
    ).toEqual([
      ['expired', at + 30 * minute],
      ['revoked', at + minute],
      ['stage', at + 2 * minute],
      ['revoked', at + minute],
      ['idle', at + 20 * minute],
    ]);
  });
});

describe('a revocation of all of a person', () => {
  const notBefore = at + 500;
  const isRevoked = (claims: AccessClaims) =>
    judgeToken(
      claims,
      { use: { lastUsedAt: at + minute }, standing: { notBefore }, limit },
      policy,
      at + minute,
    ).state === 'refused';

  it.each<[string, AccessClaims, boolean]>([
    ['voids a token of before', claimsOf({ issuedAt: at - 1 }), true],
    ['spares one of the same second, which issuers truncate to', claimsOf({ issuedAt: at }), false],
    ['spares one of later', claimsOf({ issuedAt: at + second }), false],
    [
      'voids one of later whose sign-in was before',
      claimsOf({ issuedAt: at + second, authenticatedAt: at - 1 }),
      true,
    ],
    ['spares one whose sign-in was later', claimsOf({ issuedAt: at, authenticatedAt: at + second }), false],
    ['voids one that says neither', withoutIssue(), true],
    ['voids one that says the sign-in of before alone', withoutIssue({ authenticatedAt: at - 1 }), true],
  ])('%s', (_what, claims, expected) => {
    expect(isRevoked(claims)).toBe(expected);
  });
});

describe('at the stage', () => {
  const since = at + 500;
  const verdictAt = (standing: SubjectStanding, claims: AccessClaims) =>
    judgeToken(claims, { use: { lastUsedAt: at + minute }, standing, limit }, policy, at + minute);

  it.each(['active', 'warned', undefined] as const)('%s tokens are good', (stage) => {
    expect(verdictAt(stage === undefined ? {} : { stage, since }, claimsOf()).state).toBe('good');
  });

  it.each(['deactivated', 'deleted'] as const)('%s no token is, not even of a new sign-in', (stage) => {
    expect(verdictAt({ stage, since }, claimsOf({ authenticatedAt: at + minute }))).toEqual({
      state: 'refused',
      reason: 'stage',
      endedAt: since,
    });
  });

  it.each([
    'suspended',
    'revoked',
  ] as const)('%s those of a sign-in since then are good, and no other', (stage) => {
    const isGood = (claims: AccessClaims, standing: SubjectStanding = { stage, since }) =>
      verdictAt(standing, claims).state === 'good';
    expect(isGood(claimsOf({ authenticatedAt: at + second }))).toBe(true);
    expect(isGood(claimsOf({ authenticatedAt: at }))).toBe(true);
    expect(isGood(claimsOf({ authenticatedAt: at - 1 }))).toBe(false);
    expect(isGood(claimsOf({ issuedAt: at + minute }))).toBe(false);
    expect(isGood(claimsOf({ authenticatedAt: at + second }), { stage })).toBe(false);
  });

  it('whose beginning is not known, a token is refused as of now', () => {
    expect(verdictAt({ stage: 'deleted' }, claimsOf())).toMatchObject({ endedAt: at + minute });
  });
});

describe('the idle limit', () => {
  const rules = accessPolicy({
    routes: { '/billing': '5m', '/admin': '10m', '/admin/keys': '2m' },
    roles: { auditor: '15m', admin: '8m' },
  });
  const limitOf = (asked: { path?: string; roles?: readonly string[]; subjectMs?: number }) => {
    const { ms, rule } = idleLimitOf(rules, { path: '/', roles: [], ...asked });
    return [ms / minute, rule];
  };

  it.each<[string, Parameters<typeof limitOf>[0], number, string]>([
    ['of all', {}, 20, 'idle'],
    ['of the route', { path: '/billing/invoices?page=2' }, 5, 'routes:/billing'],
    ['of the strictest route above the path', { path: '/admin/keys/1' }, 2, 'routes:/admin/keys'],
    ['of the route in another spelling', { path: '/x/../%42illing' }, 5, 'routes:/billing'],
    ['of the role', { roles: ['auditor'] }, 15, 'roles:auditor'],
    ['of the strictest role', { roles: ['auditor', 'admin'] }, 8, 'roles:admin'],
    [
      'of all for a role that the policy does not name',
      { roles: ['guest', 'constructor', '__proto__'] },
      20,
      'idle',
    ],
    ['of the subject', { subjectMs: minute }, 1, 'subject'],
    ['of all where the subject’s is longer', { subjectMs: hour }, 20, 'idle'],
    [
      'of the strictest of route, role and subject',
      { path: '/billing', roles: ['admin'], subjectMs: 6 * minute },
      5,
      'routes:/billing',
    ],
  ])('is the one %s', (_what, asked, minutes, rule) => {
    expect(limitOf(asked)).toEqual([minutes, rule]);
  });

  it('never exceeds any rule that applies', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('/', '/billing', '/admin', '/admin/keys', '/other'),
        fc.subarray(['auditor', 'admin', 'guest']),
        fc.option(fc.nat(hour), { nil: undefined }),
        (path, roles, subjectMs) => {
          const { ms } = idleLimitOf(rules, { path, roles, subjectMs });
          const alone = [
            idleLimitOf(rules, { path, roles: [] }),
            ...roles.map((role) => idleLimitOf(rules, { path: '/', roles: [role] })),
            ...(subjectMs === undefined ? [] : [{ ms: subjectMs }]),
          ];
          expect(ms).toBe(Math.min(...alone.map((one) => one.ms)));
        },
      ),
    );
  });
});
