/** Authenticates Kratos and Hydra by an API key, the one means that both their web hooks have. Two keys for rotation. */
import type { FastifyRequest } from 'fastify';
import type { Entrance } from './gate.js';
import { createTokenCheck } from './service-auth.js';

export const hookKeyHeader = 'x-dormouse-hook-key';

/** @param hook each hook has a rate limit of its own, so that a storm at one never holds up the other */
export function hookEntrance(keys: readonly string[], hook: 'kratos' | 'hydra' | 'mail'): Entrance {
  const isValid = createTokenCheck(keys);
  return {
    message: `Send the hook's API key in the header ${hookKeyHeader}.`,
    callerOf(request: FastifyRequest): string | undefined {
      const key = request.headers[hookKeyHeader];
      return typeof key === 'string' && isValid(key) ? `hook:${hook}` : undefined;
    },
  };
}
