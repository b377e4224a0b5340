/** Personal access tokens for Express, and for any server whose middleware takes Node's own request and response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, send } from '../node-answers.js';
import type { TokenHolder } from './checks.js';
import type { TokenRules, VerifiedToken } from './options.js';
import type { PersonalTokens } from './personal-tokens.js';
import { isAccepted, judgeRequest } from './request.js';
import { largestBody, PersonalTokenRoutes } from './route-table.js';

export type { ListedToken, TokenCheck, TokenHolder } from './checks.js';
export type { PersonalTokensFields, PersonalTokensOptions, TokenRules, VerifiedToken } from './options.js';
export { PersonalTokens } from './personal-tokens.js';

/** A request behind the middleware. */
export interface TokenRequest extends IncomingMessage {
  /** The live token; `null` where there is none and the route needs none. */
  personalToken?: VerifiedToken | null;
  /** Parsed by a middleware before this one. */
  readonly body?: unknown;
}

export type TokenMiddleware = (
  request: TokenRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Guards what is behind it by a personal access token in `Authorization: Bearer`. `request.personalToken` says whose it is.
 *
 * @example
 * ```ts
 * const tokens = new PersonalTokens({ postgresUrl, policy: { published: 'default' }, dormouse });
 * app.get('/repos', requireToken(tokens, { scopes: ['repo:read'] }), (request, response) => response.send(request.personalToken.identityId));
 * ```
 */
export function requireToken(tokens: PersonalTokens, rules: TokenRules = {}): TokenMiddleware {
  return (request, response, next) => {
    judgeRequest(tokens, request.headers, rules).then((outcome) => {
      if (outcome.kind === 'answer') return send(response, outcome.answer);
      const { token } = outcome;
      request.personalToken = token;
      response.once('finish', () => {
        if (token !== null && isAccepted(response.statusCode)) tokens.noteUse(token);
      });
      next();
    }, next);
  };
}

export interface TokenRoutesOptions {
  /**
   * The person behind a request, from a verified session and never from a personal access token: a token must not make tokens.
   * `undefined`: nobody, which is answered 401.
   */
  readonly holder: (request: TokenRequest) => TokenHolder | undefined | Promise<TokenHolder | undefined>;
  /** Origins that may change something, such as `https://app.example`. Default: the one that the request's `Host` names. */
  readonly origins?: readonly string[];
}

/**
 * Serves the routes on which people list, create, rotate and revoke their own tokens, below the path where it is mounted:
 * `app.use('/personal-tokens', tokenRoutes(tokens, { holder }))`.
 */
export function tokenRoutes(
  tokens: PersonalTokens,
  { holder, origins }: TokenRoutesOptions,
): TokenMiddleware {
  const routes = new PersonalTokenRoutes(tokens, origins);
  const handle = async (request: TokenRequest, response: ServerResponse) => {
    const read = await bodyOf(request, largestBody);
    if ('refused' in read) return send(response, read.refused);
    const { method = 'GET', headers, url = '/' } = request;
    const route = (url.split('?', 1)[0] ?? '').replace(/^\/+|\/+$/g, '');
    const asked = { method, headers, body: read.body, route, holder: await holder(request) };
    return send(response, await routes.handle(asked));
  };
  return (request, response, next) => void handle(request, response).catch(next);
}
