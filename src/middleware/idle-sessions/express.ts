/**
 * The session guard for Express, and for any server whose middleware takes Node's own request and response.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from '../answers.js';
import { bodyOf, send } from '../node-answers.js';
import { checkedPrefix, type OwnRoute, ownRoute } from '../own-paths.js';
import { SessionGuard } from './guard.js';
import type { GuardedSession, IdleSessionOptions } from './options.js';
import { judgeRequest, type Outcome } from './request.js';
import { largestBody, SessionRoutes } from './route-table.js';

export type { GuardCounters, SessionGuard } from './guard.js';
export type { GuardedSession, GuardOptions, IdleSessionOptions, RequestRules } from './options.js';
export { watchSocket } from './sockets.js';

/** A request behind the middleware. */
export interface GuardedRequest extends IncomingMessage {
  /** The live session; absent on routes that need none. */
  dormouse?: GuardedSession;
  /** Express: the URL as it came, when a router has cut it. */
  readonly originalUrl?: string;
  /** Parsed by a middleware before this one. */
  readonly body?: unknown;
}

export interface IdleSessionMiddleware {
  (request: GuardedRequest, response: ServerResponse, next: (error?: unknown) => void): void;
  readonly guard: SessionGuard;
}

/**
 * Judges each request behind it by its Kratos session and the policy, and serves the routes of docs/idle-sessions.md.
 * `request.dormouse` is the live session. Close it with `middleware.guard.close()`.
 *
 * @throws ConfigError where a field of the policy or an option is wrong
 *
 * @example
 * ```ts
 * const sessions = idleSessions({ postgresUrl, kratos: { publicUrl, adminUrl }, policy: { preset: 'saas' } });
 * app.use(sessions);
 * app.get('/account', (request, response) => response.send(request.dormouse.identityId));
 * ```
 */
export function idleSessions(options: IdleSessionOptions<GuardedRequest>): IdleSessionMiddleware {
  const prefix = checkedPrefix(options.prefix);
  const guard = new SessionGuard(options);
  const routes = new SessionRoutes(guard, options.origins);
  const middleware = (request: GuardedRequest, response: ServerResponse, next: (error?: unknown) => void) => {
    const { headers, method = 'GET' } = request;
    const url = request.originalUrl ?? request.url ?? '/';
    const own = ownRoute(prefix, url);
    if (own !== undefined) {
      serve(request, response, own).catch(next);
      return;
    }
    const settle = (outcome: Outcome) => {
      if (outcome.kind === 'answer') {
        send(response, outcome.answer);
        return;
      }
      if (outcome.session !== undefined) request.dormouse = outcome.session;
      next();
    };
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = judgeRequest(guard, options, { request, method, url, headers });
    } catch (error) {
      // Not every server takes what a middleware throws.
      next(error);
      return;
    }
    if (outcome instanceof Promise) outcome.then(settle).catch(next);
    else settle(outcome);
  };

  async function serve(request: GuardedRequest, response: ServerResponse, own: OwnRoute): Promise<void> {
    const { headers, method = 'GET' } = request;
    const read = await bodyOf(request, largestBody);
    const answer =
      'refused' in read ? read.refused : await routes.handle({ method, headers, body: read.body, ...own });
    send(response, answer ?? json(404, { error: 'not_found' }));
  }

  return Object.assign(middleware, { guard });
}
