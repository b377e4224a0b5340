/** Authenticates callers by service tokens: bearer tokens (RFC 6750), two at a time during a rotation. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Entrance } from './gate.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @returns a check whose duration does not depend on whether, or where, a token differs */
export function createTokenCheck(tokens: readonly string[]): (token: string) => boolean {
  const known = tokens.map(digest);
  return (token) => {
    const presented = digest(token);
    // Every known token is compared, so that the duration does not show which one fits.
    return known.reduce((found, candidate) => timingSafeEqual(candidate, presented) || found, false);
  };
}

/** The entrance of apps and operators: `Authorization: Bearer <token>`. */
export function serviceEntrance(tokens: readonly string[]): Entrance {
  const isValid = createTokenCheck(tokens);
  return {
    challenge: 'Bearer',
    message: 'Send a service token: Authorization: Bearer <token>.',
    callerOf(request: FastifyRequest): string | undefined {
      const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2);
      if (scheme?.toLowerCase() !== 'bearer' || token === undefined || !isValid(token)) return undefined;
      return `service:${digest(token).toString('base64url')}`;
    },
  };
}
