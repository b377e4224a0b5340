/** Authenticates callers by service tokens: bearer tokens (RFC 6750), two at a time while one is rotated out. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @returns a check that takes the same time whether, and where, a token differs */
export function createTokenCheck(tokens: readonly string[]): (token: string) => boolean {
  const known = tokens.map(digest);
  return (token) => {
    const presented = digest(token);
    // Every known token is compared, so that the time says nothing about which one fits.
    return known.reduce((found, candidate) => timingSafeEqual(candidate, presented) || found, false);
  };
}

/** A hook that answers 401 to callers without a valid token. */
export function requireServiceToken(tokens: readonly string[]) {
  const isValid = createTokenCheck(tokens);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2);
    if (scheme?.toLowerCase() === 'bearer' && token !== undefined && isValid(token)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'unauthorized', message: 'Send a service token: Authorization: Bearer <token>.' });
  };
}
