/**
 * Verifies a token in JWT form with the issuer's keys (RFC 8725: the verifier chooses
 * algorithms, issuer and audience).
 */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { VerificationUnavailableError } from './errors.js';
import type { JwksOptions } from './options.js';
import { ownerOf } from './token-claims.js';
import { nobody, type Verdict } from './verdict.js';

/** Asymmetric only: with an HMAC anybody who reads the public key could sign. */
const algorithms = ['RS256', 'ES256', 'EdDSA'];
/** Errors of the key set rather than of the token. */
const keySetErrors: readonly string[] = [
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
  errors.JOSEError.code,
];

/** @returns a function that verifies; it throws VerificationUnavailableError */
export function jwtVerifier(options: JwksOptions['jwks'], timeoutMs: number) {
  const keys = createRemoteJWKSet(new URL(options.url), { timeoutDuration: timeoutMs });
  const expectations = {
    issuer: options.issuer,
    audience: options.audience,
    algorithms,
    requiredClaims: ['exp', 'sub'],
  };
  return async (token: string): Promise<Verdict> => {
    try {
      const { payload } = await jwtVerify(token, keys, expectations);
      return ownerOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError && !keySetErrors.includes(error.code)) return nobody;
      const why = error instanceof errors.JOSEError ? error.code : 'the key set can not be had';
      throw new VerificationUnavailableError('JWKS', why);
    }
  };
}
