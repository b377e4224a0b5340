/**
 * The secret of a link: 128 random bits in the mail and the URL, their SHA-256 in
 * PostgreSQL. Imports Node only.
 */
import { createHash, randomBytes } from 'node:crypto';

const tokenBytes = 16;

export interface LinkToken {
  /** For the URL. Must be written only into the mail. */
  readonly token: string;
  readonly hash: Buffer;
}

export function createLinkToken(): LinkToken {
  const token = randomBytes(tokenBytes).toString('base64url');
  return { token, hash: hashOfToken(token) };
}

/**
 * A lookup by hash needs no constant-time comparison: its timing could only reveal the beginning of a hash,
 * from which no token can be derived.
 */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
