/**
 * The pages of people. Those behind links in mails need no credential: the token in the path is the
 * capability. Own sessions are shown by the session's cookie. GET and HEAD only show, and never change anything
 * (mail scanners follow links). POST confirms. Nothing here signs anybody in.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { EngineDormouse } from '../client/engine.js';
import { takeForms } from '../http/content.js';
import type { RateLimits } from '../http/gate.js';
import { systemClock } from '../process/clock.js';
import { accessRoutes } from './access-page.js';
import { activityRoutes } from './activity-page.js';
import { keepRoutes } from './keep-page.js';
import { limitTo, type PageContext, type PagesOptions, show } from './page.js';
import { reactivationRoutes } from './reactivation-pages.js';
import { styleHash } from './render-page.js';
import { sessionRoutes } from './sessions-page.js';
import { tokenRoutes } from './tokens-page.js';
import { unsubscribeRoutes } from './unsubscribe-page.js';

const policy = [
  "default-src 'none'",
  `style-src '${styleHash}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function accountPages(
  dormouse: EngineDormouse,
  options: PagesOptions,
  limits: Pick<RateLimits, 'pagesPerMinute' | 'linkRequestsPerMinute'>,
): FastifyPluginAsync {
  const context: PageContext = { ...options, dormouse, clock: options.clock ?? systemClock };
  return async (server) => {
    takeForms(server, 4_096);
    protect(server, context, limits);
    answerErrors(server, context);
    keepRoutes(server, context);
    reactivationRoutes(server, context, limits);
    await server.register(async (scope) => unsubscribeRoutes(scope, context));
    const { sessions, tokens } = options;
    if (sessions !== undefined)
      await server.register(async (scope) => {
        sessionRoutes(scope, context, sessions);
        accessRoutes(scope, context, sessions);
        activityRoutes(scope, context, sessions);
      });
    if (sessions !== undefined && tokens !== undefined)
      await server.register(async (scope) => tokenRoutes(scope, context, sessions, tokens));
  };
}

function protect(
  server: FastifyInstance,
  context: PageContext,
  { pagesPerMinute }: Pick<RateLimits, 'pagesPerMinute'>,
): void {
  const limiter = server.createRateLimit({ timeWindow: 60_000, max: pagesPerMinute });
  server.addHook('onRequest', async (request, reply) => {
    await limitTo(limiter, request, reply, context);
  });
  // Not by `@fastify/helmet`: these pages need five headers, with a policy of their own.
  server.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
    });
  });
}

function answerErrors(server: FastifyInstance, context: PageContext): void {
  server.setErrorHandler(async (error, request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    if (status >= 400 && status < 500) return show(request, reply.code(status), context, 'problem');
    request.log.error({ err: error }, 'a page failed');
    return show(request, reply.header('retry-after', '60'), context, 'busy');
  });
}
