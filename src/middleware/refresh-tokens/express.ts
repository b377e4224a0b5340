/** Refresh tokens of an app for Express, and for any server whose middleware takes Node's own request and response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from '../answers.js';
import { bodyOf, send } from '../node-answers.js';
import type { RefreshTokens } from './refresh-tokens.js';
import {
  largestBody,
  RefreshRoutes,
  type RefreshRoutesOptions,
  type TokenHolder,
  unavailable,
} from './route-table.js';

export * from './index.js';
export type { TokenHolder } from './route-table.js';

/** A request behind a middleware that may have parsed its body. */
export interface RefreshRoutesRequest extends IncomingMessage {
  readonly body?: unknown;
}

export type RefreshMiddleware = (
  request: RefreshRoutesRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export interface ExpressRefreshOptions extends RefreshRoutesOptions {
  /** Who asks: from a verified session or access token, never from the caller's own claims. */
  readonly identify: (
    request: RefreshRoutesRequest,
  ) => TokenHolder | undefined | Promise<TokenHolder | undefined>;
  /** Told why a request was answered 503: PostgreSQL is away, or minting failed. Nothing was decided. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Serves the routes of docs/refresh-tokens.md below the path where it is mounted.
 *
 * @example
 * ```ts
 * const tokens = new RefreshTokens({ postgresUrl, key, policy: {} });
 * app.use('/refresh-tokens', refreshTokenRoutes(tokens, { identify, mint: ({ identityId, familyId }) => ({ accessToken: sign(identityId, familyId) }) }));
 * ```
 */
export function refreshTokenRoutes(
  tokens: RefreshTokens,
  { identify, onError, ...options }: ExpressRefreshOptions,
): RefreshMiddleware {
  const routes = new RefreshRoutes(tokens, options);
  const handle = async (request: RefreshRoutesRequest, response: ServerResponse) => {
    const read = await bodyOf(request, largestBody);
    if ('refused' in read) return send(response, read.refused);
    const { method = 'GET', url = '/' } = request;
    const route = (url.split('?', 1)[0] ?? '').replace(/^\/+|\/+$/g, '');
    const asked = { method, route, body: read.body, request, identify: async () => identify(request) };
    try {
      send(response, (await routes.handle(asked)) ?? json(404, { error: 'not_found' }));
    } catch (error) {
      onError?.(error);
      send(response, unavailable);
    }
  };
  return (request, response, next) => void handle(request, response).catch(next);
}
