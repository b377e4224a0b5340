/** The gateway's HTTP server, put together: limits, authentication, routes, errors. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Dormouse } from '../client.js';
import { activityRoutes } from './activity-routes.js';
import { handleErrors } from './errors.js';
import { identityRoutes } from './identity-routes.js';
import { requireServiceToken } from './service-auth.js';

export interface GatewayOptions {
  readonly dormouse: Dormouse;
  readonly serviceTokens: readonly string[];
  readonly log: FastifyBaseLogger;
}

/** Bytes that a request's body may have. */
const bodyLimit = 16_384;

/** Only `/healthz` is open; everything else wants a service token. */
export async function createGateway({
  dormouse,
  serviceTokens,
  log,
}: GatewayOptions): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: log,
    disableRequestLogging: true,
    bodyLimit,
    requestTimeout: 20_000,
    routerOptions: { maxParamLength: 100 },
  });
  handleErrors(server);
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  server.get('/healthz', () => ({ status: 'ok' }));
  await server.register(async (guarded) => {
    guarded.addHook('onRequest', requireServiceToken(serviceTokens));
    await guarded.register(activityRoutes(dormouse));
    await guarded.register(identityRoutes(dormouse));
  });
  return server;
}
