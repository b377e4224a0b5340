/**
 * Authenticates Kratos, Hydra and the mail provider by an API key, the only method that all of them support.
 * Each has keys of its own, two for rotation, so that the provider's key can't report signs of life.
 */
import type { FastifyRequest } from 'fastify';
import type { Entrance } from './gate.js';
import { createTokenCheck } from './service-auth.js';

export const hookKeyHeader = 'x-dormouse-hook-key';

/** @param hook each hook has a rate limit of its own, so that too many requests to one never block another */
export function hookEntrance(keys: readonly string[], hook: 'kratos' | 'hydra' | 'mail'): Entrance {
  const isValid = createTokenCheck(keys);
  const presented = hook === 'mail' ? keyOrPassword : keyOf;
  return {
    message: `Send the API key of the ${hook} hook in the header ${hookKeyHeader}.`,
    callerOf(request: FastifyRequest): string | undefined {
      const key = presented(request);
      return key !== undefined && isValid(key) ? `hook:${hook}` : undefined;
    },
  };
}

function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers[hookKeyHeader];
  return typeof key === 'string' ? key : undefined;
}

/**
 * Some providers can't send a custom header, but all of them send the password of a
 * URL. Any user name is accepted.
 */
function keyOrPassword(request: FastifyRequest): string | undefined {
  const key = keyOf(request);
  if (key !== undefined) return key;
  const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : decoded.slice(colon + 1);
}
