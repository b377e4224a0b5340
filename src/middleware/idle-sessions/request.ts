/** What the plugin and the middleware have in common: one request in, what to do with it out. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, refusalOf } from './answers.js';
import type { Decision, Question } from './decision.js';
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

/** Judges a request of the app: at once where memory suffices, which is most of the time. */
export function judgeRequest<Request>(
  guard: SessionGuard,
  options: IdleSessionOptions<Request>,
  incoming: IncomingRequest<Request>,
): Outcome | Promise<Outcome> {
  const { request, method, url, headers } = incoming;
  // A browser sends no cookies with the question whether it may ask.
  if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) return pass;
  const rules = rulesOf(options.rules?.(request), incoming.rules);
  const question = questionOf(headers, url, rules);
  const live = guard.decideNow(question);
  return live === undefined
    ? judgeLater(guard, options, incoming, question, rules)
    : { kind: 'pass', session: live.session };
}

async function judgeLater<Request>(
  guard: SessionGuard,
  options: IdleSessionOptions<Request>,
  incoming: IncomingRequest<Request>,
  question: Question,
  rules: RequestRules,
): Promise<Outcome> {
  const decision = await guard.decide(question);
  if (decision.kind === 'live') return { kind: 'pass', session: decision.session };
  if (decision.kind === 'unavailable' && decision.opens) return pass;
  if (rules.public === true && decision.kind !== 'step-up') return pass;
  return { kind: 'answer', answer: refusal(guard, options, incoming, decision) };
}

const pass: Outcome = { kind: 'pass' };
const noRules: RequestRules = {};
const aRequest = { kind: 'request' } as const;

function rulesOf(ofApp: RequestRules | undefined, ofRoute: RequestRules | undefined): RequestRules {
  return ofApp === undefined || ofRoute === undefined
    ? (ofRoute ?? ofApp ?? noRules)
    : { ...ofApp, ...ofRoute };
}

function questionOf(headers: IncomingHttpHeaders, path: string, rules: RequestRules): Question {
  const { background, whenUnavailable, stepUp } = rules;
  const presence = background === true || isBackground(headers) ? undefined : aRequest;
  return { headers, path, presence, whenUnavailable, stepUp };
}

function refusal<Request>(
  guard: SessionGuard,
  options: IdleSessionOptions<Request>,
  { request, method, headers }: IncomingRequest<Request>,
  decision: Exclude<Decision, { kind: 'live' }>,
): Answer {
  if ((decision.kind === 'ended' || decision.kind === 'none') && isPage(method, headers)) {
    const end = decision.kind === 'ended' ? decision.end : { reason: 'none' };
    const location = options.signInUrl?.(request, end);
    if (location !== undefined) {
      return { status: 303, headers: { location, 'cache-control': 'no-store' } };
    }
  }
  return refusalOf(decision, guard.clock());
}

/** Someone navigates, rather than a script asking. */
function isPage(method: string, headers: IncomingHttpHeaders): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return (headers.accept ?? '').includes('text/html');
}

export interface OwnRoute {
  /** Below the prefix, without slashes around it. */
  readonly route: string;
  readonly query: URLSearchParams;
}

/** @returns `undefined`: the request is the app's */
export function ownRoute(prefix: string, url: string): OwnRoute | undefined {
  // Nearly all requests need no more than this.
  if (!url.startsWith(`${prefix}/`)) return undefined;
  const [path = '', query = ''] = url.split('?', 2);
  return { route: path.slice(prefix.length + 1).replace(/\/+$/, ''), query: new URLSearchParams(query) };
}

/** @throws TypeError */
export function checkedPrefix(prefix = '/session'): string {
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) return prefix;
  throw new TypeError(
    'prefix: is not a path. Write it from the root and without a slash at its end, as /session',
  );
}
