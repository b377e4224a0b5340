/**
 * The middleware for Express, and for any server whose middleware takes Node's own
 * request and response. Node only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActivityCounters, ActivityOptions } from './options.js';
import { createSignObserver } from './sign-observer.js';

export { VerificationUnavailableError } from './errors.js';
export type { ActivityCounters, ActivityOptions, VerifiedIdentity } from './options.js';

export interface ActivityMiddleware<Request extends IncomingMessage> {
  (request: Request, response: ServerResponse, next: () => void): void;
  /** Counts of the requests so far, by outcome. */
  counters(): ActivityCounters;
}

/**
 * Notes a sign of life of the identity behind each successful request. Put it before the routes; the app's
 * own authentication may come before or after it. It never delays or fails the request. See
 * {@link ActivityOptions} for how requests are verified.
 *
 * @throws TypeError when the options name no way to verify
 *
 * @example
 * ```ts
 * app.use(dormouseActivity({ dormouse, kratos: { publicUrl: 'https://auth.example' } }));
 * ```
 */
export function dormouseActivity<Request extends IncomingMessage = IncomingMessage>(
  options: ActivityOptions<Request>,
): ActivityMiddleware<Request> {
  const observer = createSignObserver(options);
  const middleware = (request: Request, response: ServerResponse, next: () => void): void => {
    const at = Date.now();
    // `finish`, not `close`: an aborted response has status 200 even before anybody was authenticated.
    response.once('finish', () => {
      observer.observe({ request, headers: request.headers, status: response.statusCode, at });
    });
    next();
  };
  return Object.assign(middleware, { counters: () => observer.counters() });
}
