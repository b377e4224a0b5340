/** Builds the gateway's HTTP server: limits, authentication, routes, errors. */
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import type { DirectDormouse } from '../client/direct-types.js';
import {
  kratosRegistrationHook,
  type RegistrationHookOptions,
} from '../deletion/kratos-registration-hook.js';
import { refuseCompressed, takeStrictJson } from '../http/content.js';
import { handleErrors } from '../http/errors.js';
import { createGate, defaultRateLimits, type Gate, type RateLimits } from '../http/gate.js';
import { hookEntrance } from '../http/hook-auth.js';
import { serviceEntrance } from '../http/service-auth.js';
import { eitherEntrance, mailRoutes } from '../mail/http/routes.js';
import { watchRequests } from '../observability/http-metrics.js';
import { accountPages } from '../people-pages/account-pages.js';
import type { PagesOptions } from '../people-pages/page.js';
import type { EventPublication } from '../security-events/load.js';
import { securityEventRoutes } from '../security-events/routes.js';
import { kratosHook } from '../signs/http/kratos-hook.js';
import { activityRoutes } from '../signs/http/routes.js';
import { signedEvents } from '../signs/http/signed-events.js';
import { identityRoutes } from '../standings/routes.js';
import { hydraTokenHook, type TokenHookOptions } from '../tokens/http/hydra-token-hook.js';
import { worklistRoute } from '../worklist/routes.js';
import { describeRoutes, openApiRoute } from './openapi.js';

export interface GatewayOptions {
  readonly dormouse: DirectDormouse;
  readonly serviceTokens: readonly string[];
  /** HMAC secrets of signed events. Default: none, so events need a service token. */
  readonly eventSecrets?: readonly string[];
  /**
   * The callers of hooks. Each has keys of its own, so that none can call another's
   * hook. Default: there are no hooks.
   */
  readonly hooks?: HookOptions;
  /** The pages that links in mails lead to. Default: there are none. */
  readonly pages?: PagesOptions;
  /** Addresses and networks of reverse proxies whose X-Forwarded-For is trusted. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Keys and metadata for receivers of security events. Default: none are published. */
  readonly signals?: EventPublication;
  readonly rateLimits?: Partial<RateLimits>;
  /** Where the gateway counts its answers. Default: nowhere. */
  readonly metrics?: Registry;
  readonly log: FastifyBaseLogger;
}

export interface HookOptions {
  /** Kratos reports sign-ins, and asks before it registers an identity. */
  readonly kratos?: RegistrationHookOptions;
  /** Hydra asks before it issues a token. */
  readonly hydra?: TokenHookOptions;
  /** The mail provider reports mails that bounced. */
  readonly mail?: { readonly keys: readonly string[] };
}

/** Limit of a request's body in bytes, where a route sets no other. */
const bodyLimit = 16_384;

/**
 * Only `/healthz`, content that is public by design, and people's pages need no authentication. Every other
 * route names the credential that it requires.
 */
export async function createGateway(options: GatewayOptions): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout: 20_000,
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    routerOptions: { maxParamLength: 100 },
  });
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  if (options.metrics !== undefined) watchRequests(server, options.metrics);
  handleErrors(server);
  takeStrictJson(server);
  refuseCompressed(server);
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  await server.register(rateLimit, { global: false });
  const limits = { ...defaultRateLimits, ...options.rateLimits };
  const gate = createGate(server, limits);
  await describeRoutes(server);
  await server.register(async (described) => {
    await addRoutes(described, gate, options);
    if (options.pages !== undefined) {
      await described.register(accountPages(options.dormouse, options.pages, limits));
    }
  });
  return server;
}

async function addRoutes(server: FastifyInstance, gate: Gate, options: GatewayOptions): Promise<void> {
  const { dormouse, hooks = {} } = options;
  const service = serviceEntrance(options.serviceTokens);
  server.route({
    method: 'GET',
    url: '/healthz',
    schema: { summary: 'Whether the gateway runs', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: () => ({ status: 'ok' }),
  });
  openApiRoute(server, gate, service);
  await server.register(activityRoutes(dormouse, signedEvents(gate, service, options.eventSecrets ?? [])));
  const mailEntrance = eitherEntrance(hookEntrance(hooks.mail?.keys ?? [], 'mail'), service);
  await server.register(mailRoutes(dormouse, gate, mailEntrance));
  if (hooks.kratos !== undefined) {
    await server.register(kratosHook(dormouse, gate, hooks.kratos.keys));
    await server.register(kratosRegistrationHook(gate, hooks.kratos));
  }
  if (hooks.hydra !== undefined) await server.register(hydraTokenHook(dormouse, gate, hooks.hydra));
  if (options.signals !== undefined) await server.register(securityEventRoutes(options.signals, gate));
  await server.register(async (guarded) => {
    guarded.addHook('onRequest', gate.guard(service));
    await guarded.register(identityRoutes(dormouse));
    await guarded.register(worklistRoute(dormouse));
  });
}
