/** Names the use of an access token: its session, or the token itself. */
import { hash } from 'node:crypto';
import type { AccessClaims } from '../../domain/tokens/access-claims.js';

/**
 * The session at the issuer (`sid`) with its sign-in (`auth_time`), so that tokens that are fetched in a session share one use, and a new
 * sign-in begins another one; else the token's id (`jti`), else the token.
 * @returns SHA-256 in hexadecimal
 */
export function useKeyOf(
  { issuer, sessionId, authenticatedAt, tokenId }: AccessClaims,
  token: string,
): string {
  const name =
    sessionId === undefined
      ? ['token', issuer, tokenId ?? hash('sha256', token)]
      : ['session', issuer, sessionId, authenticatedAt ?? null];
  return hash('sha256', JSON.stringify(name));
}
