/** The session guard as a Fastify plugin. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { json } from '../answers.js';
import { sendAnswer, takeStrictJson } from '../fastify-answers.js';
import { checkedPrefix, ownRoute } from '../own-paths.js';
import { SessionGuard } from './guard.js';
import type { GuardedSession, IdleSessionOptions, RequestRules } from './options.js';
import { judgeRequest, type Outcome } from './request.js';
import { largestBody, SessionRoutes } from './route-table.js';

export type { GuardCounters, SessionGuard } from './guard.js';
export type { GuardedSession, GuardOptions, IdleSessionOptions, RequestRules } from './options.js';
export { watchSocket } from './sockets.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `idleSessions`. */
    idleSessions: SessionGuard;
  }
  interface FastifyRequest {
    /** The live session of the request; `null` on routes that need none. Set by the plugin `idleSessions`. */
    dormouse: GuardedSession | null;
  }
  interface FastifyContextConfig {
    /** How the plugin `idleSessions` treats the route. */
    dormouse?: RequestRules;
  }
}

const plugin: FastifyPluginAsync<IdleSessionOptions<FastifyRequest>> = async (fastify, options) => {
  const prefix = checkedPrefix(options.prefix);
  const guard = new SessionGuard(options);
  fastify.decorate('idleSessions', guard);
  fastify.decorateRequest('dormouse', null);
  fastify.addHook('onClose', () => guard.close());
  fastify.addHook('onRequest', (request, reply, done) => {
    const { url, method, headers } = request;
    if (ownRoute(prefix, url) !== undefined) {
      done();
      return;
    }
    const rules = request.routeOptions.config.dormouse;
    const outcome = judgeRequest(guard, options, { request, method, url, headers, rules });
    if (outcome instanceof Promise) {
      outcome.then((later) => settle(later, request, reply, done)).catch(done);
      return;
    }
    settle(outcome, request, reply, done);
  });
  await fastify.register(async (child) => serve(child, prefix, new SessionRoutes(guard, options.origins)));
  await guard.ready();
};

function settle(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (outcome.kind === 'answer') {
    void sendAnswer(reply, outcome.answer);
    return;
  }
  if (outcome.session !== undefined) request.dormouse = outcome.session;
  done();
}

function serve(child: FastifyInstance, prefix: string, routes: SessionRoutes): void {
  takeStrictJson(child);
  child.route({
    method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'],
    url: `${prefix}/*`,
    bodyLimit: largestBody,
    async handler(request, reply) {
      const own = ownRoute(prefix, request.url);
      const { method, headers, body } = request;
      const answer = own && (await routes.handle({ method, headers, body, ...own }));
      return sendAnswer(reply, answer ?? json(404, { error: 'not_found' }));
    },
  });
}

/**
 * Judges each request by its Kratos session and the policy, beside and below the place where it is registered, and serves the routes of
 * docs/idle-sessions.md. `request.dormouse` is the live session.
 *
 * @throws ConfigError at registration where a field of the policy or an option is wrong
 *
 * @example
 * ```ts
 * await app.register(idleSessions, { postgresUrl, kratos: { publicUrl, adminUrl }, policy: { preset: 'saas' } });
 * app.get('/', { config: { dormouse: { public: true } } }, () => 'hello');
 * app.get('/account', (request) => request.dormouse.identityId);
 * ```
 */
export const idleSessions = fastifyPlugin(plugin, { fastify: '5.x', name: 'dormouse-idle-sessions' });
