/** Personal access tokens as Fastify plugins: one that guards routes by them, and one on which people manage their own. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { parseStrictJson } from '../../http/strict-json.js';
import { type Answer, invalid, json } from '../answers.js';
import { checkedPrefix, ownRoute } from '../own-paths.js';
import type { TokenHolder } from './checks.js';
import type { PersonalTokensOptions, TokenRules, VerifiedToken } from './options.js';
import { PersonalTokens } from './personal-tokens.js';
import { isAccepted, judgeRequest } from './request.js';
import { largestBody, PersonalTokenRoutes } from './route-table.js';

export type { ListedToken, TokenCheck, TokenHolder } from './checks.js';
export type { PersonalTokensFields, PersonalTokensOptions, TokenRules, VerifiedToken } from './options.js';
export { PersonalTokens } from './personal-tokens.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `personalTokens`. */
    personalTokens: PersonalTokens;
  }
  interface FastifyRequest {
    /** The live token of the request; `null` where there is none. Set by the plugin `personalTokens`. */
    personalToken: VerifiedToken | null;
  }
  interface FastifyContextConfig {
    /** How the plugin `personalTokens` treats the route; `false`: it needs no token. */
    personalToken?: TokenRules | false;
  }
}

export interface PersonalTokensPluginOptions extends PersonalTokensOptions {
  /** For routes that say nothing themselves; `false`: they need no token. Default: a token, without any scope. */
  readonly usual?: TokenRules | false;
}

const guard: FastifyPluginAsync<PersonalTokensPluginOptions> = async (fastify, options) => {
  const tokens = new PersonalTokens(options);
  fastify.decorate('personalTokens', tokens);
  fastify.decorateRequest('personalToken', null);
  fastify.addHook('onClose', () => tokens.close());
  fastify.addHook('onRequest', async (request, reply) => {
    const rules = request.routeOptions.config.personalToken ?? options.usual ?? {};
    if (rules === false) return;
    const outcome = await judgeRequest(tokens, request.headers, rules);
    if (outcome.kind === 'answer') await send(reply, outcome.answer);
    else request.personalToken = outcome.token;
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const { personalToken } = request;
    if (personalToken !== null && isAccepted(reply.statusCode)) tokens.noteUse(personalToken);
  });
  await tokens.ready();
};

/**
 * Guards each route beside and below the place where it is registered by a personal access token in `Authorization: Bearer`.
 * `request.personalToken` says whose it is.
 *
 * @throws ConfigError at registration where a field of the policy is wrong
 *
 * @example
 * ```ts
 * await app.register(personalTokens, { postgresUrl, policy: { published: 'default' }, dormouse });
 * app.get('/repos', { config: { personalToken: { scopes: ['repo:read'] } } }, (request) => request.personalToken.identityId);
 * ```
 */
export const personalTokens = fastifyPlugin(guard, { fastify: '5.x', name: 'dormouse-personal-tokens' });

export interface PersonalTokenRoutesOptions {
  readonly tokens: PersonalTokens;
  /**
   * The person behind a request, from a verified session and never from a personal access token: a token must not make tokens.
   * `undefined`: nobody, which is answered 401.
   */
  readonly holder: (request: FastifyRequest) => TokenHolder | undefined | Promise<TokenHolder | undefined>;
  /** Where the routes are served. Default `/personal-tokens`. */
  readonly at?: string;
  /** Origins that may change something, such as `https://app.example`. Default: the one that the request's `Host` names. */
  readonly origins?: readonly string[];
}

/** Serves the routes on which people list, create, rotate and revoke their own tokens. */
export const personalTokenRoutes: FastifyPluginAsync<PersonalTokenRoutesOptions> = async (
  fastify,
  { tokens, holder, at, origins },
) => {
  const prefix = checkedPrefix(at ?? '/personal-tokens');
  const routes = new PersonalTokenRoutes(tokens, origins);
  readStrictJson(fastify);
  fastify.route({
    method: ['GET', 'POST', 'DELETE', 'PUT', 'PATCH'],
    url: `${prefix}/*`,
    config: { personalToken: false },
    bodyLimit: largestBody,
    handler: (request, reply) => handle(request, reply),
  });
  fastify.route({
    method: ['GET', 'POST', 'DELETE', 'PUT', 'PATCH'],
    url: prefix,
    config: { personalToken: false },
    bodyLimit: largestBody,
    handler: (request, reply) => handle(request, reply),
  });

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { method, headers, body } = request;
    const route = ownRoute(prefix, request.url)?.route ?? '';
    return send(reply, await routes.handle({ method, headers, body, route, holder: await holder(request) }));
  }
};

function readStrictJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => {
    const text = body.toString().trim();
    try {
      parsed(null, text === '' ? undefined : parseStrictJson(text));
    } catch (error) {
      parsed(error instanceof Error ? error : new Error('the body could not be read', { cause: error }));
    }
  });
  fastify.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    if (error.name === 'InvalidRequestError') return send(reply, invalid('body', 'is not one JSON object'));
    if (error.statusCode === 413) return send(reply, json(413, { error: 'too_large' }));
    throw error;
  });
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .send(body === undefined ? undefined : JSON.stringify(body));
}
