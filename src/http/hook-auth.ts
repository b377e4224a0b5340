/**
 * Authenticates Kratos, Hydra and the mail provider by an API key, the one means that all of them have. Each has keys of
 * its own, two for rotation: the provider's key says that nobody is alive.
 */
import type { FastifyRequest } from 'fastify';
import type { Entrance } from './gate.js';
import { createTokenCheck } from './service-auth.js';

export const hookKeyHeader = 'x-dormouse-hook-key';

/** @param hook each hook has a rate limit of its own, so that a storm at one never holds up the other */
export function hookEntrance(keys: readonly string[], hook: 'kratos' | 'hydra' | 'mail'): Entrance {
  const isValid = createTokenCheck(keys);
  return {
    message: `Send the API key of the ${hook} hook in the header ${hookKeyHeader}.`,
    callerOf(request: FastifyRequest): string | undefined {
      const key = request.headers[hookKeyHeader];
      return typeof key === 'string' && isValid(key) ? `hook:${hook}` : undefined;
    },
  };
}
