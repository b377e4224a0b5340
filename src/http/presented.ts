/** The secrets that a request shows: a bearer token (RFC 6750), or an API key, the only method that Kratos and Hydra support. */
import type { FastifyRequest } from 'fastify';
import type { RouteScope } from '../domain/principals/scopes.js';
import type { Presented } from '../principals/configured.js';
import type { Refusal } from './gate.js';

export const hookKeyHeader = 'x-dormouse-hook-key';

/** @returns what counts for a route of this scope, in the order in which it is tried */
export function presentedBy(request: FastifyRequest, scope: RouteScope): Presented[] {
  if (isHook(scope)) return keyOf(request);
  if (scope === 'mail:report') return [...keyOrPassword(request), ...bearerOf(request)];
  return bearerOf(request);
}

/** How a caller without a credential is answered. */
export function refusalFor(scope: RouteScope): Refusal {
  const bearer = 'Send a service token: Authorization: Bearer <token>.';
  if (isHook(scope)) return { message: keyMessage(scope.slice('hooks:'.length)) };
  if (scope === 'mail:report') return { challenge: 'Bearer', message: `${keyMessage('mail')} Or: ${bearer}` };
  return { challenge: 'Bearer', message: bearer };
}

export function isHook(scope: RouteScope): boolean {
  return scope.startsWith('hooks:');
}

const keyMessage = (hook: string) => `Send the API key of the ${hook} hook in the header ${hookKeyHeader}.`;

function bearerOf({ headers }: FastifyRequest): Presented[] {
  const [scheme, token] = (headers.authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '') return [];
  return [{ carrier: 'bearer', secret: token }];
}

function keyOf({ headers }: FastifyRequest): Presented[] {
  const key = headers[hookKeyHeader];
  return typeof key === 'string' ? [{ carrier: 'key', secret: key }] : [];
}

/**
 * Some providers can't send a custom header, but all of them send the password of a
 * URL. Any user name is accepted.
 */
function keyOrPassword(request: FastifyRequest): Presented[] {
  const keys = keyOf(request);
  if (keys.length > 0) return keys;
  const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() !== 'basic') return [];
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? [] : [{ carrier: 'key', secret: decoded.slice(colon + 1) }];
}
