/** Names the use of an access token: its session, or the token itself. */
import { hash } from 'node:crypto';
import type { AccessClaims } from '../../domain/tokens/access-claims.js';

/**
 * The session at the issuer (`sid`) with its sign-in (`auth_time`), so that tokens that are fetched in a session share one use, and a new
 * sign-in begins another one; else the token's id (`jti`), else what the token's signature is over: a signature itself can be spelled in
 * several ways (unused bits of its last character), which would be as many tokens.
 * @returns SHA-256 in hexadecimal
 */
export function useKeyOf(
  { issuer, sessionId, authenticatedAt, tokenId }: AccessClaims,
  token: string,
): string {
  // guard: access tokens: another spelling of a signature is no other token
  const name =
    sessionId === undefined
      ? ['token', issuer, tokenId ?? hash('sha256', signedPartOf(token))]
      : ['session', issuer, sessionId, authenticatedAt ?? null];
  return hash('sha256', JSON.stringify(name));
}

/** Header and payload. */
function signedPartOf(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}
