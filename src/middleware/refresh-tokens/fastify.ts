/** Refresh tokens of an app as a Fastify plugin. */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { json } from '../answers.js';
import { sendAnswer, takeStrictJson } from '../fastify-answers.js';
import { checkedPrefix, ownRoute } from '../own-paths.js';
import type { RefreshTokensOptions } from './options.js';
import { RefreshTokens } from './refresh-tokens.js';
import {
  largestBody,
  RefreshRoutes,
  type RefreshRoutesOptions,
  type TokenHolder,
  unavailable,
} from './route-table.js';

export * from './index.js';
export type { TokenHolder } from './route-table.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `refreshTokens`. */
    refreshTokens: RefreshTokens;
  }
}

export interface RefreshPluginOptions extends RefreshTokensOptions, RefreshRoutesOptions {
  /** Where the routes are served. Default `/refresh-tokens`. */
  readonly prefix?: string;
  /** Who asks: from a verified session or access token, never from the caller's own claims. */
  readonly identify: (request: FastifyRequest) => TokenHolder | undefined | Promise<TokenHolder | undefined>;
}

const plugin: FastifyPluginAsync<RefreshPluginOptions> = async (fastify, options) => {
  const prefix = checkedPrefix(options.prefix ?? '/refresh-tokens');
  const tokens = new RefreshTokens(options);
  const routes = new RefreshRoutes(tokens, options);
  fastify.decorate('refreshTokens', tokens);
  fastify.addHook('onClose', () => tokens.close());
  await fastify.register(async (child) => {
    takeStrictJson(child, (error, request) => {
      request.log.error({ err: error }, 'a request for refresh tokens could not be answered');
      return unavailable;
    });
    for (const url of [prefix, `${prefix}/*`]) {
      child.route({
        method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'],
        url,
        bodyLimit: largestBody,
        async handler(request, reply) {
          const { route = '' } = ownRoute(prefix, request.url) ?? {};
          const { method, body } = request;
          const identify = async () => options.identify(request);
          const answer = await routes.handle({ method, route, body, request, identify });
          return sendAnswer(reply, answer ?? json(404, { error: 'not_found' }));
        },
      });
    }
  });
};

/**
 * Serves the routes of docs/refresh-tokens.md; `app.refreshTokens` issues and exchanges.
 *
 * @throws ConfigError, TypeError at registration where an option is wrong
 *
 * @example
 * ```ts
 * await app.register(refreshTokens, { postgresUrl, key, policy: {}, identify, mint: ({ identityId, familyId }) => ({ accessToken: sign(identityId, familyId) }) });
 * const granted = await app.refreshTokens.issue({ identityId, clientId: 'web', request });
 * ```
 */
export const refreshTokens = fastifyPlugin(plugin, { fastify: '5.x', name: 'dormouse-refresh-tokens' });
