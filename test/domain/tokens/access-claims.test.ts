import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../../../src/domain/tokens/access-claims.js';

const exp = 1_772_445_600;
const payload = { iss: 'https://issuer.example/', aud: 'https://api.example', sub: 'anna', exp };
const read = (more: Record<string, unknown> = {}) => readClaims({ ...payload, ...more });

describe('the claims of a token', () => {
  it('are read, with times in milliseconds', () => {
    const more = {
      ...{ aud: ['https://api.example', 'https://other.example'], iat: exp - 600, nbf: exp - 500 },
      ...{ auth_time: exp - 700, sid: 's-1', jti: 't-1', client_id: 'shop', roles: ['admin'], role: 'clerk' },
    };
    expect(read(more)).toEqual({
      subject: 'anna',
      issuer: 'https://issuer.example/',
      audiences: ['https://api.example', 'https://other.example'],
      expiresAt: exp * 1_000,
      issuedAt: (exp - 600) * 1_000,
      notBefore: (exp - 500) * 1_000,
      authenticatedAt: (exp - 700) * 1_000,
      sessionId: 's-1',
      tokenId: 't-1',
      clientId: 'shop',
      roles: ['admin', 'clerk'],
    });
  });

  it('need no more than the issuer, the audience, the subject and the end', () => {
    expect(read()).toEqual({
      subject: 'anna',
      issuer: 'https://issuer.example/',
      audiences: ['https://api.example'],
      expiresAt: exp * 1_000,
      roles: [],
    });
  });

  it.each(['exp', 'sub', 'iss', 'aud'])('without %s are malformed', (member) => {
    expect(read({ [member]: undefined })).toEqual({ problem: member });
  });

  it.each([
    'exp',
    'iat',
    'nbf',
    'auth_time',
  ])('take a number between the epoch and the last date as %s', (member) => {
    for (const value of [0, 1.5, 8_640_000_000_000])
      expect(read({ [member]: value })).not.toHaveProperty('problem');
  });

  it.each(
    ['exp', 'iat', 'nbf', 'auth_time'].flatMap((member) =>
      [
        ...['never', '1772445600', '', true, null, [exp], { at: exp }],
        ...[-1, Number.POSITIVE_INFINITY, Number.NaN, 8_640_000_000_001, Number.MAX_SAFE_INTEGER],
      ].map((value) => [member, value] as const),
    ),
  )('with %s = %j are malformed', (member, value) => {
    expect(read({ [member]: value })).toEqual({ problem: member });
  });

  it.each(
    ['sub', 'iss'].flatMap((member) =>
      ['', 'x'.repeat(256), 7, null, ['anna'], {}].map((value) => [member, value] as const),
    ),
  )('with %s = %j are malformed', (member, value) => {
    expect(read({ [member]: value })).toEqual({ problem: member });
  });

  it.each([
    ['an empty name', ''],
    ['a number', 7],
    ['nothing', null],
    ['an object', {}],
    ['a list with a number', ['https://api.example', 7]],
    ['a list of 101', Array.from({ length: 101 }, (_, n) => `https://${n}.example`)],
  ])('with %s as aud are malformed', (_what, aud) => {
    expect(read({ aud })).toEqual({ problem: 'aud' });
  });

  it.each(['sid', 'jti', 'client_id'])('with a number as %s are malformed', (member) => {
    expect(read({ [member]: 7 })).toEqual({ problem: 'claims' });
  });

  it('take issued_at where there is no iat, and only there', () => {
    expect(read({ issued_at: exp - 60 })).toMatchObject({ issuedAt: (exp - 60) * 1_000 });
    expect(read({ issued_at: exp - 60, iat: exp - 90 })).toMatchObject({ issuedAt: (exp - 90) * 1_000 });
    expect(read({ issued_at: 'today' })).toEqual({ problem: 'iat' });
    expect(read({ issued_at: 'today', iat: exp - 90 })).toEqual({ problem: 'iat' });
  });

  it('never end after the fraction of a second that they say', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 8_640_000_000_000, noNaN: true }), (value) => {
        const claims = read({ exp: value });
        if ('problem' in claims) throw new Error(claims.problem);
        expect(Number.isSafeInteger(claims.expiresAt)).toBe(true);
        expect(claims.expiresAt).toBeLessThanOrEqual(value * 1_000);
      }),
    );
  });

  it('take the session, the sign-in and roles from the extension, where Hydra puts them', () => {
    const ext = { sid: 's-1', auth_time: exp - 60, roles: ['admin'], role: 'clerk' };
    expect(read({ ext })).toMatchObject({
      sessionId: 's-1',
      authenticatedAt: (exp - 60) * 1_000,
      roles: ['admin', 'clerk'],
    });
    expect(read({ ext, sid: 's-2', roles: [] })).toMatchObject({ sessionId: 's-2', roles: ['clerk'] });
  });

  it('take nothing from the extension that the standard has at the top', () => {
    const ext = {
      exp: exp + 1,
      iat: exp,
      nbf: exp,
      sub: 'eve',
      iss: 'eve',
      aud: 'eve',
      jti: 'eve',
      client_id: 'eve',
    };
    expect(read({ ext })).toEqual(read());
    expect(readClaims({ ext: { ...payload } })).toHaveProperty('problem');
  });

  it.each([
    ['a name', 'x'],
    ['a list', []],
    ['nothing', null],
  ])('with %s as extension have none', (_what, ext) => {
    expect(read({ ext })).toEqual(read());
  });

  it.each([
    ['a list with something else', ['admin', 7]],
    ['an object', { admin: true }],
    ['nothing', null],
  ])('with %s as roles give none', (_what, roles) => {
    expect(read({ roles })).toMatchObject({ roles: [] });
  });

  it('are either whole or malformed, whatever the JSON is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(readClaims(value)).toHaveProperty('problem');
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('exp', 'iat', 'nbf', 'auth_time', 'sub', 'iss', 'aud', 'sid', 'jti', 'ext', 'roles'),
        fc.jsonValue(),
        (member, value) => {
          const claims = read({ [member]: value });
          if ('problem' in claims) return;
          const times = [claims.expiresAt, claims.issuedAt, claims.notBefore, claims.authenticatedAt];
          expect(times.every((time) => time === undefined || Number.isSafeInteger(time))).toBe(true);
        },
      ),
    );
  });
});
