/** Keys and algorithms of the guard of access tokens (RFC 8725, sections 3.1 and 3.2). */
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { trustedKeys } from '../../src/middleware/inactive-tokens/keys.js';

const secret = 'x'.repeat(32);
const jwks = { keys: [] };

describe('the algorithms', () => {
  it('are asymmetric for a key set, and HS256 for a secret', () => {
    expect(trustedKeys({ keys: { jwks } }).algorithms).toEqual(['RS256', 'PS256', 'ES256', 'EdDSA']);
    expect(trustedKeys({ keys: { secret } }).algorithms).toEqual(['HS256']);
  });

  it.each([
    [{ keys: { jwks }, algorithms: ['RS256', 'HS256'] }, "HS256 can't be used with a key set"],
    [
      { keys: { jwksUrl: 'https://hydra.example/jwks' }, algorithms: ['HS512'] },
      "HS512 can't be used with a key set",
    ],
    [{ keys: { secret }, algorithms: ['RS256'] }, "RS256 can't be used with a secret"],
    [{ keys: { jwks }, algorithms: ['none'] }, "none can't be used with a key set"],
    [{ keys: { secret }, algorithms: ['none'] }, "none can't be used with a secret"],
    [{ keys: { jwks }, algorithms: ['rs256'] }, "rs256 can't be used with a key set"],
    [{ keys: { jwks }, algorithms: [] }, 'names none'],
  ])('of %j are refused at the start', (options, problem) => {
    expect(() => trustedKeys(options)).toThrow(ConfigError);
    expect(() => trustedKeys(options)).toThrow(`algorithms: ${problem}. Take one of: `);
  });
});

it('a secret that could be guessed is refused at the start, and not repeated', () => {
  for (const short of ['x'.repeat(31), new Uint8Array(31)]) {
    expect(() => trustedKeys({ keys: { secret: short } })).toThrow(
      'keys.secret has 31 bytes, and could be guessed. Take 32 random bytes at least',
    );
  }
});

it('an address that is none is refused at the start', () => {
  expect(() => trustedKeys({ keys: { jwksUrl: 'hydra/jwks' } })).toThrow(/keys\.jwksUrl is not a URL/);
});
