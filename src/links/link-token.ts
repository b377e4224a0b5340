/** The secret of a link: 128 random bits in the mail and the URL, their SHA-256 in PostgreSQL. Imports Node only. */
import { createHash, randomBytes } from 'node:crypto';

const tokenBytes = 16;

export interface LinkToken {
  /** For the URL; must be written nowhere but into the mail. */
  readonly token: string;
  readonly hash: Buffer;
}

export function createLinkToken(): LinkToken {
  const token = randomBytes(tokenBytes).toString('base64url');
  return { token, hash: hashOfToken(token) };
}

/**
 * Looking a link up by its hash takes no constant-time comparison: what the time could tell is the beginning of a hash,
 * which leads to no token.
 */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
