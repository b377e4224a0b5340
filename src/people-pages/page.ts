/** What every page has: what it is made with, its headers' language, and the limit on how often it is shown. */
import type { IdentityApi } from '@ory/client';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import type { EngineDormouse } from '../client/engine.js';
import { open } from '../http/access.js';
import type { IdentifierKey } from '../keys/identifier-hash.js';
import { requestPageUrl } from '../links/link-urls.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import type { PersonalTokens } from '../middleware/personal-tokens/personal-tokens.js';
import type { Clock } from '../process/clock.js';
import { localeOf } from './accept-language.js';
import { noActivity, noTokens, type PageName, type PageView, renderPage } from './render-page.js';

export interface PagesOptions {
  readonly pool: pg.Pool;
  /** Kratos, to find the account for which a reactivation link is requested. */
  readonly identities: IdentityApi;
  readonly productName: string;
  readonly signInUrl: string;
  /** DORMOUSE_LINK_BASE_URL. */
  readonly baseUrl: string;
  /**
   * The key for finding deactivated identities by address. Absent: they are found
   * only by their sign-in identifiers.
   */
  readonly identifierKey?: IdentifierKey;
  /** Judges the sessions of the page with a person's own sessions. Absent: there is no such page. */
  readonly sessions?: SessionGuard;
  /** Makes and ends the tokens of the page with a person's own tokens; needs `sessions`. Absent: there is no such page. */
  readonly tokens?: PersonalTokens;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface PageContext extends PagesOptions {
  readonly dormouse: EngineDormouse;
  readonly clock: Clock;
}

/** What lets people see a page, in place of a credential of the gateway. */
export const byLink = open('the link in a mail is the capability, or anybody may ask for one');
export const bySession = open("a session's cookie of Kratos, which the page checks");

const statusOf: Partial<Record<PageName, number>> = {
  invalid: 404,
  busy: 503,
  'too-many': 429,
  'not-signed-in': 401,
  'sign-in-again': 401,
  'sessions-busy': 503,
};

export function show(
  request: FastifyRequest,
  reply: FastifyReply,
  context: PageContext,
  page: PageName,
  more: Partial<PageView> = {},
): FastifyReply {
  const { language } = localeOf(request.headers['accept-language']);
  const view: PageView = {
    product: context.productName,
    signInUrl: context.signInUrl,
    requestUrl: requestPageUrl(context.baseUrl),
    ...{ date: '', by: '', until: '', isRevoke: false, isDeactivate: false, isDelete: false },
    ...{ sessions: [], hasOthers: false, choices: [], live: [], ended: [] },
    ...noTokens,
    ...noActivity,
    ...more,
  };
  const status = statusOf[page];
  if (status !== undefined) reply.code(status);
  return reply
    .header('content-language', language)
    .header('vary', 'accept-language')
    .type('text/html; charset=utf-8')
    .send(renderPage(page, language, view));
}

export type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

export async function limitTo(
  limiter: Limiter,
  request: FastifyRequest,
  reply: FastifyReply,
  context: PageContext,
): Promise<void> {
  const count = await limiter(request);
  if (count.isAllowed || !count.isExceeded) return;
  reply.header('retry-after', String(count.ttlInSeconds));
  await show(request, reply, context, 'too-many');
}
