import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayMs } from '../../../src/domain/duration.js';
import {
  type FamilyFacts,
  isLeftBehind,
  lastUseOf,
  reasonAtSignIn,
  refreshEndsAt,
  staleReason,
} from '../../../src/domain/tokens/refresh-staleness.js';
import { at, refreshPolicy } from './refresh-fixtures.js';

const home = { address: '198.51.100.7', userAgent: 'Browser/1' };
const policy = refreshPolicy();
/** @param days since the last use, or since the creation where it was never used */
const used = (days: number, more: Partial<FamilyFacts> = {}): FamilyFacts => ({
  createdAt: at - 1_000 * dayMs,
  lastUsedAt: at - days * dayMs,
  ...more,
});
const neverUsed = (ms: number): FamilyFacts => ({ createdAt: at - ms });

describe('a stale family', () => {
  it.each<[string, FamilyFacts, string | undefined]>([
    ['400 days old and used yesterday', { createdAt: at - 400 * dayMs, lastUsedAt: at - dayMs }, undefined],
    ['unused for a year less a millisecond', { ...used(0), lastUsedAt: at - 365 * dayMs + 1 }, undefined],
    ['unused for a year', used(365), 'unused'],
    ['never used, created a year less a millisecond ago', neverUsed(365 * dayMs - 1), undefined],
    ['never used, created a year ago', neverUsed(365 * dayMs), 'unused'],
    ['used in the future', used(-5), undefined],
  ])('%s, of a person who is active', (_what, family, reason) => {
    expect(staleReason(family, at, policy, at)).toBe(reason);
  });

  it.each<[string, number | undefined, number, string | undefined]>([
    ['inactive for 180 days', 180 * dayMs, 200, 'inactive'],
    ['inactive for 180 days less a millisecond', 180 * dayMs - 1, 200, undefined],
    ['without any sign of life, but a use 179 days ago', undefined, 179, undefined],
    ['without any sign of life, and no use for 180 days', undefined, 180, 'inactive'],
    ['inactive for 300 days, but for a use yesterday', 300 * dayMs, 1, undefined],
  ])('of a person who is %s', (_what, inactive, unusedDays, reason) => {
    const activeAt = inactive === undefined ? undefined : at - inactive;
    expect(staleReason(used(unusedDays), activeAt, policy, at)).toBe(reason);
  });

  it.each([
    [used(500), undefined],
    [used(30, { ...home, createdAt: at - 40 * dayMs }), undefined],
  ])('is none while its person is exempt or on hold', (family) => {
    expect(reasonAtSignIn({ ...family, isSpared: true }, home, policy, at)).toBeUndefined();
    const capped = refreshPolicy({ longestLifetime: '40d' });
    expect(reasonAtSignIn({ ...family, isSpared: true }, home, capped, at)).toBe('lifetime');
  });

  it.each([
    [30 * dayMs - 1, undefined],
    [30 * dayMs, 'lifetime'],
  ])('with a longest lifetime of 30 days, created %d ms ago and used now', (age, reason) => {
    const family = { createdAt: at - age, lastUsedAt: at };
    expect(staleReason(family, at, refreshPolicy({ longestLifetime: '30d' }), at)).toBe(reason);
  });
});

describe('at a sign-in', () => {
  it.each<[string, FamilyFacts, string | undefined]>([
    ['the same address and user agent, unused for 30 days', used(30, home), 'same_origin'],
    [
      'the same, unused for 30 days less a millisecond',
      { ...used(0, home), lastUsedAt: at - 30 * dayMs + 1 },
      undefined,
    ],
    ['never used, created 30 days ago', { ...neverUsed(30 * dayMs), ...home }, 'same_origin'],
    ['another address', used(100, { ...home, address: '198.51.100.8' }), undefined],
    ['another user agent', used(100, { ...home, userAgent: 'Browser/2' }), undefined],
    ['an address that was cut', used(100, { userAgent: 'Browser/1' }), undefined],
    ['unused for a year, from elsewhere', used(365), 'unused'],
    ['unused for 200 days, from elsewhere: the sign-in is a sign of life', used(200), undefined],
  ])('%s', (_what, family, reason) => {
    expect(reasonAtSignIn(family, home, policy, at)).toBe(reason);
  });

  it('an unknown origin leaves nothing behind', () => {
    expect(reasonAtSignIn(used(100), {}, policy, at)).toBeUndefined();
    expect(reasonAtSignIn(used(100, home), { address: home.address }, policy, at)).toBeUndefined();
  });

  it('the rule may be off', () => {
    expect(reasonAtSignIn(used(100, home), home, refreshPolicy({ sameOrigin: 'off' }), at)).toBeUndefined();
  });
});

it('a sign-in leaves no family of an exempt person behind', () => {
  expect(isLeftBehind(used(100, home), home, policy, at)).toBe(true);
  expect(isLeftBehind(used(100, { ...home, isSpared: true }), home, policy, at)).toBe(false);
});

it('a last use that was written before the creation counts as the creation', () => {
  expect(lastUseOf({ createdAt: at, lastUsedAt: at - dayMs })).toBe(at);
});

describe('the end that is announced', () => {
  it.each<[string, FamilyFacts, number | undefined, Record<string, string>, number | undefined]>([
    ['of a family unused since today: inactivity of its person', used(0), undefined, {}, 180],
    ['while its person is active: the time without use', used(200), at, {}, 165],
    ['of a person who was seen 100 days ago', used(150), at - 100 * dayMs, {}, 80],
    ['a longest lifetime that comes first', neverUsed(10 * dayMs), at, { longestLifetime: '30d' }, 20],
    ['a longest lifetime that comes last', neverUsed(0), at, { longestLifetime: '900d' }, 180],
    ['of an exempt person: none', used(100, { isSpared: true }), at, {}, undefined],
    [
      'of an exempt person under a longest lifetime',
      { ...neverUsed(10 * dayMs), isSpared: true },
      at,
      { longestLifetime: '900d' },
      890,
    ],
  ])('%s', (_what, family, activeAt, rules, days) => {
    const end = refreshEndsAt(family, activeAt, refreshPolicy(rules));
    expect(end).toBe(days === undefined ? undefined : at + days * dayMs);
  });
});

const anyFamily = fc
  .record({
    age: fc.integer({ min: 0, max: 1_000 * dayMs }),
    idle: fc.option(fc.integer({ min: 0, max: 1_000 * dayMs }), { nil: undefined }),
    address: fc.constantFrom(undefined, '198.51.100.7', '203.0.113.9'),
    userAgent: fc.constantFrom(undefined, 'Browser/1', 'Browser/2'),
  })
  .map(
    ({ age, idle, address, userAgent }): FamilyFacts => ({
      createdAt: at - age,
      ...(idle !== undefined && { lastUsedAt: at - Math.min(age, idle) }),
      ...(address !== undefined && { address }),
      ...(userAgent !== undefined && { userAgent }),
    }),
  );

describe('for every family', () => {
  it('nothing that was used within 30 days is revoked at a sign-in without a longest lifetime', () => {
    fc.assert(
      fc.property(anyFamily, (family) => {
        const reason = reasonAtSignIn(family, home, policy, at);
        const idle = at - (family.lastUsedAt ?? family.createdAt);
        expect(reason === undefined || idle >= 30 * dayMs).toBe(true);
      }),
    );
  });

  it('what is stale stays stale while nobody uses it', () => {
    fc.assert(
      fc.property(anyFamily, fc.nat(400 * dayMs), (family, later) => {
        const [now, then] = [at, at + later].map((time) => staleReason(family, undefined, policy, time));
        expect(now === undefined || then !== undefined).toBe(true);
      }),
    );
  });

  it('the end that is announced is the instant at which the rules first say so', () => {
    const activity = fc.option(fc.integer({ min: 0, max: 1_000 * dayMs }), { nil: undefined });
    const lifetime = fc.constantFrom({}, { longestLifetime: '100d' });
    fc.assert(
      fc.property(anyFamily, fc.boolean(), activity, lifetime, (facts, isSpared, idle, rules) => {
        const family = { ...facts, isSpared };
        const limits = refreshPolicy(rules);
        const activeAt = idle === undefined ? undefined : at - idle;
        const end = refreshEndsAt(family, activeAt, limits);
        if (end === undefined) {
          expect(staleReason(family, activeAt, limits, at + 10_000 * dayMs)).toBeUndefined();
          return;
        }
        expect(staleReason(family, activeAt, limits, end)).toBeDefined();
        expect(staleReason(family, activeAt, limits, end - 1)).toBeUndefined();
      }),
    );
  });
});
