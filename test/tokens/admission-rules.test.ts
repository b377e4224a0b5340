import { describe, expect, it } from 'vitest';
import type { Stage } from '../../src/domain/rungs.js';
import { admitToken, type TokenRequest } from '../../src/tokens/admission-rules.js';

const since = Date.UTC(2026, 0, 1) + 700;
/** The second that `since` lies in, as Hydra's `auth_time` says it. */
const sameSecond = since - 700;
const later = since + 3_600_000;
const stages: (Stage | undefined)[] = [
  undefined,
  'active',
  'warned',
  'suspended',
  'revoked',
  'deactivated',
  'deleted',
];
const requests: Record<string, TokenRequest> = {
  'code, fresh sign-in': { grant: 'authorization_code', authenticatedAt: later },
  'code, old sign-in': { grant: 'authorization_code', authenticatedAt: sameSecond - 1_000 },
  'code, no time': { grant: 'authorization_code' },
  'refresh, fresh sign-in': { grant: 'refresh_token', authenticatedAt: later },
  'refresh, old sign-in': { grant: 'refresh_token', authenticatedAt: sameSecond - 1_000 },
  'refresh, no time': { grant: 'refresh_token' },
  'other, fresh sign-in': { grant: 'other', authenticatedAt: later },
  'other, old sign-in': { grant: 'other', authenticatedAt: sameSecond - 1_000 },
  'other, no time': { grant: 'other' },
};

const admit = (stage: Stage | undefined, request: TokenRequest) =>
  admitToken(stage === undefined ? {} : { stage, since }, request);

describe('who gets a token', () => {
  const allowedIn = (stage: Stage | undefined) =>
    Object.keys(requests).filter((name) => {
      const request = requests[name];
      return request !== undefined && admit(stage, request).allowed;
    });

  it.each(stages)('%s', (stage) => {
    const all = Object.keys(requests);
    const expected: Record<Stage | 'nobody', string[]> = {
      nobody: all,
      active: all,
      warned: all,
      suspended: ['code, fresh sign-in'],
      revoked: ['code, fresh sign-in'],
      deactivated: [],
      deleted: [],
    };
    expect(allowedIn(stage)).toEqual(expected[stage ?? 'nobody']);
  });

  it('a denied attempt is no sign of life', () => {
    expect(admit('suspended', { grant: 'refresh_token' })).toEqual({ allowed: false, why: 'stage' });
    expect(admit('deleted', { grant: 'authorization_code', authenticatedAt: later })).toEqual({
      allowed: false,
      why: 'stage',
    });
  });

  it('a stage without its beginning accepts no sign-in', () => {
    const request: TokenRequest = { grant: 'authorization_code', authenticatedAt: later };
    expect(admitToken({ stage: 'suspended' }, request)).toEqual({ allowed: false, why: 'stage' });
  });
});

describe('the signs of life of a token', () => {
  it('a refresh, and a token on a person’s behalf: the token, now', () => {
    for (const grant of ['refresh_token', 'other'] as const) {
      expect(admit('active', { grant, authenticatedAt: later })).toEqual({
        allowed: true,
        signs: [{ kind: 'token' }],
      });
    }
  });

  it('a code: the token now, and the person when they signed in', () => {
    expect(admit('warned', { grant: 'authorization_code', authenticatedAt: later })).toEqual({
      allowed: true,
      signs: [{ kind: 'token' }, { kind: 'human', at: later }],
    });
    expect(admit('active', { grant: 'authorization_code' })).toEqual({
      allowed: true,
      signs: [{ kind: 'token' }],
    });
  });

  it('a return: the person, now', () => {
    expect(admit('revoked', { grant: 'authorization_code', authenticatedAt: later })).toEqual({
      allowed: true,
      signs: [{ kind: 'human' }],
    });
  });
});

describe('whole seconds', () => {
  it.each([
    ['the second of the step', sameSecond, true],
    ['a millisecond before that second', sameSecond - 1, false],
    ['the second after', sameSecond + 1_000, true],
  ])('a sign-in in %s', (_name, authenticatedAt, allowed) => {
    const request: TokenRequest = { grant: 'authorization_code', authenticatedAt };
    expect(admitToken({ stage: 'suspended', since }, request).allowed).toBe(allowed);
    expect(admitToken({ stage: 'active', notBefore: since }, request).allowed).toBe(allowed);
  });

  it('a revoked session stays revoked, whatever the stage is by now', () => {
    const old: TokenRequest = { grant: 'refresh_token', authenticatedAt: sameSecond - 1 };
    for (const stage of stages) {
      expect(admitToken({ ...(stage && { stage, since: 0 }), notBefore: since }, old)).toEqual({
        allowed: false,
        why: 'revoked',
      });
    }
  });

  it('a refresh that does not say when its session began is from before', () => {
    expect(admitToken({ notBefore: since }, { grant: 'refresh_token' }).allowed).toBe(false);
    expect(admitToken({ notBefore: since }, { grant: 'other' }).allowed).toBe(true);
  });
});
