/** What the plugin and the middleware have in common: one request in, what to do with it out. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, refusalOf } from './answers.js';
import type { SessionGuard } from './guard.js';
import type { GuardedSession, IdleSessionOptions, RequestRules } from './options.js';
import { isBackground } from './origin.js';

export interface IncomingRequest<Request> {
  readonly request: Request;
  readonly method: string;
  /** With its query, as it came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** What the route itself says. */
  readonly rules?: RequestRules | undefined;
}

export type Outcome =
  /** `session` is absent where the route needs none, or opens while nothing can be judged. */
  | { readonly kind: 'pass'; readonly session?: GuardedSession }
  | { readonly kind: 'answer'; readonly answer: Answer };

/** Judges a request of the app. */
export async function judgeRequest<Request>(
  guard: SessionGuard,
  options: IdleSessionOptions<Request>,
  incoming: IncomingRequest<Request>,
): Promise<Outcome> {
  const { request, method, url, headers } = incoming;
  // A browser sends no cookies with the question whether it may ask.
  if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) return { kind: 'pass' };
  const rules = { ...options.rules?.(request), ...incoming.rules };
  const renews = rules.background !== true && !isBackground(headers);
  const { whenUnavailable, stepUp } = rules;
  const decision = await guard.decide({
    headers,
    path: url,
    ...(renews && { presence: { kind: 'request' as const } }),
    ...(whenUnavailable && { whenUnavailable }),
    ...(stepUp && { stepUp }),
  });
  if (decision.kind === 'live') return { kind: 'pass', session: decision.session };
  if (decision.kind === 'unavailable' && decision.opens) return { kind: 'pass' };
  if (rules.public === true && decision.kind !== 'step-up') return { kind: 'pass' };
  const isEnd = decision.kind === 'ended' || decision.kind === 'none';
  if (isEnd && isPage(method, headers)) {
    const end = decision.kind === 'ended' ? decision.end : { reason: 'none' };
    const location = options.signInUrl?.(request, end);
    if (location !== undefined) {
      return { kind: 'answer', answer: { status: 303, headers: { location, 'cache-control': 'no-store' } } };
    }
  }
  return { kind: 'answer', answer: refusalOf(decision, guard.clock()) };
}

/** Someone navigates, rather than a script asking. */
function isPage(method: string, headers: IncomingHttpHeaders): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return (headers.accept ?? '').includes('text/html');
}

/** @returns the route below the prefix, without slashes around it; `undefined`: the request is the app's */
export function ownRoute(prefix: string, url: string): { route: string; query: URLSearchParams } | undefined {
  const [path = '', query = ''] = url.split('?', 2);
  if (!path.startsWith(`${prefix}/`)) return undefined;
  return { route: path.slice(prefix.length + 1).replace(/\/+$/, ''), query: new URLSearchParams(query) };
}

/** @throws TypeError */
export function checkedPrefix(prefix = '/session'): string {
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) return prefix;
  throw new TypeError(
    'prefix: is not a path. Write it from the root and without a slash at its end, as /session',
  );
}
