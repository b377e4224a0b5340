/** Builds the gateway's HTTP server: limits, authentication, routes, errors. */
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type pg from 'pg';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { breakerRoutes } from '../breaker/routes.js';
import type { EngineDormouse } from '../client/engine.js';
import {
  kratosRegistrationHook,
  type RegistrationHookOptions,
} from '../deletion/kratos-registration-hook.js';
import type { DeskOptions } from '../desk/context.js';
import { desk } from '../desk/desk.js';
import { given } from '../domain/given.js';
import type { Side } from '../domain/principals/scopes.js';
import { guardRoutes, open } from '../http/access.js';
import { refuseCompressed, takeStrictJson } from '../http/content.js';
import { takeDryRuns } from '../http/dry-run.js';
import { handleErrors } from '../http/errors.js';
import { createGate, defaultRateLimits, type Gate, type RateLimits } from '../http/gate.js';
import { mailRoutes } from '../mail/http/routes.js';
import type { RefreshTokens } from '../middleware/refresh-tokens/refresh-tokens.js';
import { watchRequests } from '../observability/http-metrics.js';
import { traceRequests } from '../observability/http-traces.js';
import { accountPages } from '../people-pages/account-pages.js';
import type { PagesOptions } from '../people-pages/page.js';
import { Authenticator, type TokenVerifier } from '../principals/authenticator.js';
import { configuredPrincipals } from '../principals/configured.js';
import type { CredentialDirectory } from '../principals/directory.js';
import type { EventPublication } from '../security-events/load.js';
import { securityEventRoutes } from '../security-events/routes.js';
import { kratosHook } from '../signs/http/kratos-hook.js';
import { signRoutes } from '../signs/http/routes.js';
import { signedEvents } from '../signs/http/signed-events.js';
import { identityRoutes } from '../standings/routes.js';
import { hydraTokenHook, type TokenHookOptions } from '../tokens/http/hydra-token-hook.js';
import { refreshTokenServiceRoutes } from '../tokens/http/refresh-token-routes.js';
import { worklistRoute } from '../worklist/routes.js';
import { describeRoutes, openApiRoute } from './openapi.js';
import { type Operations, operatorsRoutes } from './operators-routes.js';
import { type RefusalAudit, SecurityLog } from './security-log.js';

export interface GatewayOptions {
  readonly dormouse: EngineDormouse;
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
  /** Issues and exchanges refresh tokens for apps. Default: there are no such routes. */
  readonly refreshTokens?: RefreshTokens;
  /** Addresses and networks of reverse proxies whose X-Forwarded-For is trusted. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Keys and metadata for receivers of security events. Default: none are published. */
  readonly securityEvents?: EventPublication;
  /** Named credentials. Default: those of the configuration only. */
  readonly credentials?: CredentialDirectory;
  /** Dormouse's database, for what operators decide about the breaker. Default: there are no such routes. */
  readonly breaker?: pg.Pool;
  /** What operators' routes work with, beside the client. Default: there are no routes that need it. */
  readonly operations?: Operations;
  /** Operators' tokens of OIDC issuers. Default: none are taken. */
  readonly operators?: TokenVerifier;
  /** The desk in a browser, for operators who sign in by OIDC. Default: there is none. */
  readonly desk?: DeskOptions;
  /** Which routes are served; those of the other side are answered as if there were none. Default: all. */
  readonly side?: Side;
  /** Takes refused calls into the audit log. Default: they are in the security log only. */
  readonly refusals?: RefusalAudit;
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

/** Each route declares its scope, or why it is open (src/http/access.ts). */
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
  const side = options.side ?? 'both';
  const securityLog = new SecurityLog(options.log, options.refusals);
  securityLog.follow(server);
  guardRoutes(server, {
    ...{ gate, side },
    authenticator: authenticatorOf(options),
    onRefused: (call) => securityLog.refused(call),
  });
  traceRequests(server);
  takeDryRuns(server);
  await describeRoutes(server, side);
  await server.register(async (described) => {
    await addRoutes(described, gate, securityLog, options);
    if (options.pages !== undefined) {
      await described.register(accountPages(options.dormouse, options.pages, limits));
    }
    if (options.desk !== undefined) await described.register(desk(options.dormouse, options.desk, gate));
  });
  return server;
}

function authenticatorOf({
  serviceTokens,
  hooks = {},
  credentials,
  operators,
}: GatewayOptions): Authenticator {
  const configured = configuredPrincipals({
    service: serviceTokens,
    kratos: hooks.kratos?.keys,
    hydra: hooks.hydra?.keys,
    mail: hooks.mail?.keys,
  });
  return new Authenticator({ configured, ...given({ directory: credentials, tokens: operators }) });
}

async function addRoutes(
  server: FastifyInstance,
  gate: Gate,
  securityLog: SecurityLog,
  options: GatewayOptions,
): Promise<void> {
  const { dormouse, hooks = {} } = options;
  server.route({
    method: 'GET',
    url: '/healthz',
    config: open('whether the gateway runs is no secret', 'both'),
    schema: { summary: 'Whether the gateway runs', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: () => ({ status: 'ok' }),
  });
  openApiRoute(server);
  const signed = signedEvents(gate, options.eventSecrets ?? [], (call) => securityLog.refused(call));
  await server.register(signRoutes(dormouse, signed));
  await server.register(mailRoutes(dormouse));
  if (hooks.kratos !== undefined) {
    await server.register(kratosHook(dormouse));
    await server.register(kratosRegistrationHook(hooks.kratos));
  }
  if (hooks.hydra !== undefined) await server.register(hydraTokenHook(dormouse, hooks.hydra));
  if (options.securityEvents !== undefined)
    await server.register(securityEventRoutes(options.securityEvents, gate));
  await server.register(identityRoutes(dormouse));
  await server.register(worklistRoute(dormouse));
  if (options.breaker !== undefined) await server.register(breakerRoutes(options.breaker));
  if (options.operations !== undefined) await server.register(operatorsRoutes(options.operations));
  if (options.refreshTokens !== undefined) {
    await server.register(refreshTokenServiceRoutes(options.refreshTokens));
  }
}
