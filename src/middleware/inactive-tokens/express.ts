/** The guard of access tokens for Express, and for any server whose middleware takes Node's own request and response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../answers.js';
import { send } from '../node-answers.js';
import { checkedPrefix, ownRoute } from '../own-paths.js';
import { UnjudgedError } from '../unjudged.js';
import { endsInHeader, refusalOf } from './answers.js';
import { answerLogs } from './log-route.js';
import type { GuardedToken, InactiveTokensAppOptions } from './options.js';
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

/** A request behind the middleware. */
export interface TokenRequest extends IncomingMessage {
  /** The good token; absent on routes that need none. */
  dormouseToken?: GuardedToken;
  /** Express: the URL as it came, when a router has cut it. */
  readonly originalUrl?: string;
}

export interface InactiveTokensMiddlewareOptions extends InactiveTokensAppOptions<TokenRequest> {
  /** Where `GET status`, `POST use` and `POST sign-out` are served. Default `/token`. */
  readonly prefix?: string;
  /** Where pages read the figures of the policy. Default `/api/auth/config`. */
  readonly configPath?: string;
  /** Where people read their own lines of the log, where the app keeps one. Default `/api/logs/recent`. */
  readonly logsPath?: string;
}

export interface InactiveTokensMiddleware {
  (request: TokenRequest, response: ServerResponse, next: (error?: unknown) => void): void;
  readonly strategy: InactivityJwtStrategy;
}

/**
 * Refuses access tokens that nobody used for too long, that are over their time, or that were revoked, for all that is behind it
 * (docs/inactive-tokens.md). `request.dormouseToken` is the good token. Close it with `middleware.strategy.close()`.
 *
 * @throws ConfigError where a field of the policy or an option is wrong
 */
export function inactiveTokens(options: InactiveTokensMiddlewareOptions): InactiveTokensMiddleware {
  const prefix = checkedPrefix(options.prefix ?? '/token');
  const configPath = checkedPrefix(options.configPath ?? '/api/auth/config');
  const logsPath = checkedPrefix(options.logsPath ?? '/api/logs/recent');
  const strategy = new InactivityJwtStrategy(options);
  const middleware = (request: TokenRequest, response: ServerResponse, next: (error?: unknown) => void) => {
    const { method = 'GET' } = request;
    const headers = headersOf(request);
    const url = request.originalUrl ?? request.url ?? '/';
    const own = ownRoute(prefix, url);
    const [path = '', search = ''] = url.split('?', 2);
    const isRead = method === 'GET' || method === 'HEAD';
    if (own !== undefined) {
      answer(response, answerOwnRoute(strategy, { method, headers, own })).catch(next);
      return;
    }
    if (path === configPath && isRead) {
      send(response, answerConfig(strategy));
      return;
    }
    if (path === logsPath && isRead && strategy.requestLog !== undefined) {
      answer(response, answerLogs(strategy, { headers, path, search: new URLSearchParams(search) })).catch(
        next,
      );
      return;
    }
    if (strategy.requestLog !== undefined) {
      response.once('finish', () =>
        noteRequest(strategy, request.dormouseToken, { method, path, status: response.statusCode }),
      );
    }
    const settle = (outcome: Outcome) => {
      if (outcome.kind === 'answer') {
        send(response, outcome.answer);
        return;
      }
      if (outcome.token !== undefined) request.dormouseToken = outcome.token;
      if (outcome.endsInSeconds !== undefined) {
        response.setHeader(endsInHeader, String(outcome.endsInSeconds));
      }
      next();
    };
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = judgeRequest(strategy, options, { request, method, url, headers });
    } catch (error) {
      // Not every server takes what a middleware throws.
      next(error);
      return;
    }
    if (outcome instanceof Promise) outcome.then(settle).catch(next);
    else settle(outcome);
  };

  async function answer(response: ServerResponse, work: Promise<Answer>): Promise<void> {
    try {
      send(response, await work);
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      send(response, refusalOf({ kind: 'unavailable', system: error.system }, strategy.clock()));
    }
  }

  return Object.assign(middleware, { strategy });
}
