/** The guard of access tokens as a Fastify plugin. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Answer } from '../answers.js';
import { sendAnswer } from '../fastify-answers.js';
import { checkedPrefix, ownRoute } from '../own-paths.js';
import { UnjudgedError } from '../unjudged.js';
import { endsInHeader, refusalOf } from './answers.js';
import { answerLogs } from './log-route.js';
import type { GuardedToken, InactiveTokensAppOptions, TokenRules } from './options.js';
import {
  answerConfig,
  answerOwnRoute,
  headersOf,
  judgeRequest,
  noteRequest,
  type Outcome,
} from './request.js';
import { InactivityJwtStrategy } from './strategy.js';

export * from './exports.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `inactiveTokens`. */
    inactiveTokens: InactivityJwtStrategy;
  }
  interface FastifyRequest {
    /** The good token of the request; `null` on routes that need none. Set by the plugin `inactiveTokens`. */
    dormouseToken: GuardedToken | null;
  }
  interface FastifyContextConfig {
    /** How the plugin `inactiveTokens` treats the route. */
    dormouseToken?: TokenRules;
  }
}

export interface InactiveTokensPluginOptions extends InactiveTokensAppOptions<FastifyRequest> {
  /** Where `GET status`, `POST use` and `POST sign-out` are served. Default `/token`. */
  readonly prefix?: string;
  /** Where pages read the figures of the policy. Default `/api/auth/config`. */
  readonly configPath?: string;
  /** Where people read their own lines of the log, where the app keeps one. Default `/api/logs/recent`. */
  readonly logsPath?: string;
}

const plugin: FastifyPluginAsync<InactiveTokensPluginOptions> = async (fastify, options) => {
  const prefix = checkedPrefix(options.prefix ?? '/token');
  const configPath = checkedPrefix(options.configPath ?? '/api/auth/config');
  const logsPath = checkedPrefix(options.logsPath ?? '/api/logs/recent');
  const strategy = new InactivityJwtStrategy(options);
  const ownPaths = strategy.requestLog === undefined ? [configPath] : [configPath, logsPath];
  fastify.decorate('inactiveTokens', strategy);
  fastify.decorateRequest('dormouseToken', null);
  fastify.addHook('onClose', () => strategy.close());
  fastify.addHook('onRequest', (request, reply, done) => {
    const { url, method } = request;
    const headers = headersOf(request.raw);
    const isRead = method === 'GET' || method === 'HEAD';
    if (ownRoute(prefix, url) !== undefined || (isRead && ownPaths.includes(url.split('?', 1)[0] ?? ''))) {
      done();
      return;
    }
    const rules = request.routeOptions.config.dormouseToken;
    const outcome = judgeRequest(strategy, options, { request, method, url, headers, rules });
    if (outcome instanceof Promise) {
      outcome.then((later) => settle(later, request, reply, done)).catch(done);
      return;
    }
    settle(outcome, request, reply, done);
  });
  fastify.get(configPath, (_request, reply) => sendAnswer(reply, answerConfig(strategy)));
  if (strategy.requestLog !== undefined) {
    fastify.get(logsPath, (request, reply) =>
      answer(strategy, reply, answerLogs(strategy, logQuestion(request))),
    );
    fastify.addHook('onResponse', async ({ method, url, routeOptions, dormouseToken }, { statusCode }) => {
      noteRequest(strategy, dormouseToken, { method, path: routeOptions.url ?? url, status: statusCode });
    });
  }
  fastify.all(`${prefix}/*`, { bodyLimit: 1_024 }, async (request, reply) => {
    const own = ownRoute(prefix, request.url) ?? { route: '', query: new URLSearchParams() };
    const { method } = request;
    const headers = headersOf(request.raw);
    return answer(strategy, reply, answerOwnRoute(strategy, { method, headers, own }));
  });
  await strategy.ready();
};

function logQuestion({ raw, url }: FastifyRequest) {
  const [path = '', search = ''] = url.split('?', 2);
  return { headers: headersOf(raw), path, search: new URLSearchParams(search) };
}

async function answer(
  strategy: InactivityJwtStrategy,
  reply: FastifyReply,
  work: Promise<Answer>,
): Promise<FastifyReply> {
  try {
    return await sendAnswer(reply, await work);
  } catch (error) {
    if (!(error instanceof UnjudgedError)) throw error;
    return sendAnswer(reply, refusalOf({ kind: 'unavailable', system: error.system }, strategy.clock()));
  }
}

function settle(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (outcome.kind === 'answer') {
    void sendAnswer(reply, outcome.answer);
    return;
  }
  if (outcome.token !== undefined) request.dormouseToken = outcome.token;
  if (outcome.endsInSeconds !== undefined) reply.header(endsInHeader, String(outcome.endsInSeconds));
  done();
}

/**
 * Refuses access tokens that nobody used for too long, that are over their time, or that were revoked, beside and below the place where it
 * is registered (docs/inactive-tokens.md). `request.dormouseToken` is the good token.
 *
 * @throws ConfigError at registration where a field of the policy or an option is wrong
 *
 * @example
 * ```ts
 * await app.register(inactiveTokens, {
 *   postgresUrl, keys: { jwksUrl: 'https://hydra.example/.well-known/jwks.json' },
 *   issuer: 'https://hydra.example/', audience: 'https://api.example', policy: { idle: '20m' },
 * });
 * app.get('/', { config: { dormouseToken: { public: true } } }, () => 'hello');
 * app.get('/account', (request) => request.dormouseToken.identityId);
 * ```
 */
export const inactiveTokens = fastifyPlugin(plugin, { fastify: '5.x', name: 'dormouse-inactive-tokens' });
