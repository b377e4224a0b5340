/** What the plugin and the middleware have in common: one request in, what to do with it out. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Answer } from '../answers.js';
import { json } from '../answers.js';
import type { OwnRoute } from '../own-paths.js';
import { isBackground } from '../request-origin.js';
import { configOf, refusalOf, stateOf } from './answers.js';
import type { TokenDecision } from './decision.js';
import type { GuardedToken, InactiveTokensAppOptions, TokenRules } from './options.js';
import { loggedPath } from './request-log.js';
import type { InactivityJwtStrategy } from './strategy.js';

export interface IncomingRequest<Request> {
  readonly request: Request;
  readonly method: string;
  /** With its query, as it came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** What the route itself says. */
  readonly rules?: TokenRules | undefined;
}

export type Outcome =
  /** `token` is absent where the route needs none. `endsInSeconds`: the answer says it. */
  | { readonly kind: 'pass'; readonly token?: GuardedToken; readonly endsInSeconds?: number }
  | { readonly kind: 'answer'; readonly answer: Answer };

const pass: Outcome = { kind: 'pass' };

/**
 * Of two `authorization` headers Node keeps the first, and a proxy before it may have judged the second. Joined, as RFC 9110
 * (section 5.3) says, they are no token.
 */
export function headersOf({ headers, rawHeaders }: IncomingMessage): IncomingHttpHeaders {
  const values = rawHeaders.filter(
    (_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  );
  // guard: access tokens: of two headers none counts
  return values.length > 1 ? { ...headers, authorization: values.join(', ') } : headers;
}

/** Judges a request of the app: at once where memory suffices, which is most of the time. */
export function judgeRequest<Request>(
  strategy: InactivityJwtStrategy,
  options: Pick<InactiveTokensAppOptions<Request>, 'rules'>,
  { request, method, url, headers, rules: ofRoute }: IncomingRequest<Request>,
): Outcome | Promise<Outcome> {
  // A browser sends no token with the question whether it may ask.
  if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) return pass;
  const ofApp = options.rules?.(request);
  const isPublic = (ofRoute?.public ?? ofApp?.public) === true;
  const inBackground = (ofRoute?.background ?? ofApp?.background) === true || isBackground(headers);
  const question = { headers, path: url, isUse: !inBackground };
  const decision = strategy.decideNow(question);
  if (decision !== undefined) return outcomeOf(strategy, decision, isPublic);
  return strategy.decide(question).then((later) => outcomeOf(strategy, later, isPublic));
}

function outcomeOf(strategy: InactivityJwtStrategy, decision: TokenDecision, isPublic: boolean): Outcome {
  if (decision.kind === 'good') {
    const { token, leftMs } = decision;
    return leftMs === undefined
      ? { kind: 'pass', token }
      : { kind: 'pass', token, endsInSeconds: Math.max(0, Math.floor(leftMs / 1_000)) };
  }
  return isPublic ? pass : { kind: 'answer', answer: refusalOf(decision, strategy.clock()) };
}

/**
 * The routes of the plugin: `GET status` renews nothing, `POST use` is a use and nothing else, `POST sign-out` ends the use of the token for all that share its session. A
 * token in a header is sent by the page's own code alone, so that no other site can make a browser ask.
 */
export async function answerOwnRoute(
  strategy: InactivityJwtStrategy,
  { method, headers, own }: { method: string; headers: IncomingHttpHeaders; own: OwnRoute },
): Promise<Answer> {
  const allowed = { status: 'GET', use: 'POST', 'sign-out': 'POST' }[own.route];
  if (allowed === undefined) return json(404, { error: 'not_found' });
  if (method !== allowed && !(allowed === 'GET' && method === 'HEAD')) {
    return json(405, { error: 'method_not_allowed' }, { allow: allowed });
  }
  // guard: access tokens: a question in the background is no use by hand
  const isUse = own.route === 'use' && !isBackground(headers);
  const decision = await strategy.decide({ headers, path: own.query.get('path') ?? '/', isUse });
  if (decision.kind !== 'good') return refusalOf(decision, strategy.clock());
  if (own.route !== 'sign-out') return stateOf(decision.token, strategy.clock());
  await strategy.revoke(headers);
  return { status: 204, headers: { 'cache-control': 'no-store' } };
}

/** Notes a request that was served in the app's log, where it keeps one. */
export function noteRequest(
  { requestLog, clock }: Pick<InactivityJwtStrategy, 'requestLog' | 'clock'>,
  token: GuardedToken | null | undefined,
  { method, path, status }: { readonly method: string; readonly path: string; readonly status: number },
): void {
  if (token === null || token === undefined || requestLog === undefined) return;
  const { identityId } = token;
  const line = {
    category: 'AUDIT',
    event: 'request',
    identityId,
    method,
    path: loggedPath(path),
    status,
  } as const;
  requestLog.note({ at: clock(), ...line });
}

/** The figures of the policy, which are no secret. */
export function answerConfig(strategy: InactivityJwtStrategy): Answer {
  const policy = strategy.policy();
  return policy === undefined
    ? refusalOf({ kind: 'unavailable', system: 'policy' }, strategy.clock())
    : configOf(policy);
}
