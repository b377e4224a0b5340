/**
 * The pages that people reach by links in mails. No credential: the token in the path is the
 * capability. GET and HEAD only show, and never change anything (mail scanners follow links). POST
 * confirms. Nothing here signs anybody in.
 */
import type { IdentityApi } from '@ory/client';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import type { DirectDormouse } from '../client/direct-types.js';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from '../client.js';
import {
  type KeepLink,
  keepLinkHolds,
  type ReactivationLink,
  reactivationLinkHolds,
  type UnsubscribeLink,
} from '../domain/links.js';
import { postponedUntil } from '../domain/postponement.js';
import type { RateLimits } from '../http/gate.js';
import type { IdentifierKey } from '../keys/identifier-hash.js';
import { hashOfToken } from '../links/link-token.js';
import { pagePaths, requestPageUrl } from '../links/link-urls.js';
import { readLink, takeReactivationLinks } from '../links/links-table.js';
import { confirmPostponement, isAnswered } from '../links/postponements-table.js';
import { findByReturnAddress } from '../links/return-addresses-table.js';
import { durationInWords, formatDeadline } from '../mail/durations.js';
import { unsubscribe } from '../mail/preferences-table.js';
import { type Clock, systemClock } from '../process/clock.js';
import { readDatedStanding } from '../standings/standings-table.js';
import { localeOf } from './accept-language.js';
import { LinkRequests } from './link-requests.js';
import { pageSchemas, type RequestForm, type TokenParameters } from './page-schemas.js';
import { type PageName, type PageView, renderPage, styleHash } from './render-page.js';

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
  /** Default: the system's. */
  readonly clock?: Clock;
}

interface Context extends PagesOptions {
  readonly dormouse: DirectDormouse;
  readonly clock: Clock;
}

const statusOf: Partial<Record<PageName, number>> = { invalid: 404, busy: 503, 'too-many': 429 };

const policy = [
  "default-src 'none'",
  `style-src '${styleHash}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function accountPages(
  dormouse: DirectDormouse,
  options: PagesOptions,
  limits: Pick<RateLimits, 'pagesPerMinute' | 'linkRequestsPerMinute'>,
): FastifyPluginAsync {
  const context: Context = { ...options, dormouse, clock: options.clock ?? systemClock };
  return async (server) => {
    takeForms(server);
    protect(server, context, limits);
    answerErrors(server, context);
    keepRoutes(server, context);
    reactivationRoutes(server, context, limits);
    await server.register(async (scope) => unsubscribeRoutes(scope, context));
  };
}

/** Accepts HTML forms only. */
function takeForms(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4_096 },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
}

function protect(
  server: FastifyInstance,
  context: Context,
  { pagesPerMinute }: Pick<RateLimits, 'pagesPerMinute'>,
): void {
  const limiter = server.createRateLimit({ timeWindow: 60_000, max: pagesPerMinute });
  server.addHook('onRequest', async (request, reply) => {
    await limitTo(limiter, request, reply, context);
  });
  server.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
    });
  });
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

async function limitTo(
  limiter: Limiter,
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<void> {
  const count = await limiter(request);
  if (count.isAllowed || !count.isExceeded) return;
  reply.header('retry-after', String(count.ttlInSeconds));
  await show(request, reply, context, 'too-many');
}

function answerErrors(server: FastifyInstance, context: Context): void {
  server.setErrorHandler(async (error, request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    if (status >= 400 && status < 500) return show(request, reply.code(status), context, 'problem');
    request.log.error({ err: error }, 'a page failed');
    return show(request, reply.header('retry-after', '60'), context, 'busy');
  });
}

function show(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  page: PageName,
  more: Partial<PageView> = {},
): FastifyReply {
  const { language } = localeOf(request.headers['accept-language']);
  const view: PageView = {
    product: context.productName,
    signInUrl: context.signInUrl,
    requestUrl: requestPageUrl(context.baseUrl),
    ...{ date: '', by: '', until: '', isRevoke: false, isDeactivate: false, isDelete: false },
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

function keepRoutes(server: FastifyInstance, context: Context): void {
  const url = `${pagePaths.keep}/:token`;
  server.get<TokenParameters>(url, { schema: pageSchemas.keep }, async (request, reply) => {
    const now = await context.clock.now();
    const link = await findKeepLink(context, request.params.token, now);
    if (link === undefined) return show(request, reply, context, 'invalid');
    return show(request, reply, context, 'keep', describeKeep(request, link, now));
  });
  server.post<TokenParameters>(url, { schema: pageSchemas.confirmKeep }, async (request, reply) => {
    const { token } = request.params;
    const now = await context.clock.now();
    const link = await findKeepLink(context, token, now);
    if (link === undefined) return show(request, reply, context, 'invalid');
    const untilAt = await confirmPostponement(context.pool, hashOfToken(token), link, now);
    if (untilAt === undefined) return show(request, reply, context, 'invalid');
    // PostgreSQL has the postponement, and the workflow looks there before it
    // acts. This only makes it look now.
    context.dormouse.lookAgain(link.identityId).catch((error: unknown) => {
      request.log.warn({ err: error }, 'a workflow could not be told of a postponement');
    });
    return show(request, reply, context, 'kept', describeKeep(request, link, now));
  });
}

async function findKeepLink(context: Context, token: string, now: number): Promise<KeepLink | undefined> {
  const { pool } = context;
  const link = await readLink(pool, hashOfToken(token), now);
  if (link?.purpose !== 'keep' || (await isAnswered(pool, link))) return undefined;
  return keepLinkHolds(link, await readDatedStanding(pool, link.identityId)) ? link : undefined;
}

function describeKeep(request: FastifyRequest, link: KeepLink, now: number): Partial<PageView> {
  const { formatTag } = localeOf(request.headers['accept-language']);
  const day = (at: number) => formatDeadline(at, Math.max(0, at - now), formatTag);
  return {
    date: day(link.announcedAt),
    by: durationInWords(link.byMs, formatTag),
    until: day(postponedUntil(link.announcedAt, link.byMs, now)),
    isRevoke: link.rung === 'revoke',
    isDeactivate: link.rung === 'deactivate',
    isDelete: link.rung === 'delete',
  };
}

function reactivationRoutes(
  server: FastifyInstance,
  context: Context,
  { linkRequestsPerMinute }: Pick<RateLimits, 'linkRequestsPerMinute'>,
): void {
  const { dormouse, identities, pool, identifierKey } = context;
  const requests = new LinkRequests({
    dormouse,
    identities,
    log: server.log,
    ...(identifierKey !== undefined && {
      findByAddress: (address) => findByReturnAddress(pool, identifierKey, address),
    }),
  });
  server.addHook('onClose', () => requests.idle());
  const limiter = server.createRateLimit({ timeWindow: 60_000, max: linkRequestsPerMinute });
  server.get(pagePaths.reactivate, { schema: pageSchemas.request }, async (request, reply) =>
    show(request, reply, context, 'request'),
  );
  server.post<RequestForm>(
    pagePaths.reactivate,
    {
      schema: pageSchemas.confirmRequest,
      onRequest: (request, reply) => limitTo(limiter, request, reply, context),
    },
    async (request, reply) => {
      const { identifier } = request.body;
      // After the answer was sent: neither its content nor its time may depend on the result.
      reply.raw.once('finish', () => requests.take(identifier));
      return show(request, reply, context, 'requested');
    },
  );
  const url = `${pagePaths.reactivate}/:token`;
  server.get<TokenParameters>(url, { schema: pageSchemas.reactivate }, async (request, reply) => {
    const link = await findReactivationLink(context, request.params.token);
    return show(request, reply, context, link === undefined ? 'invalid' : 'reactivate');
  });
  server.post<TokenParameters>(url, { schema: pageSchemas.confirmReactivate }, async (request, reply) =>
    show(request, reply, context, await reactivate(context, request.params.token)),
  );
}

async function findReactivationLink(context: Context, token: string): Promise<ReactivationLink | undefined> {
  const { pool, clock } = context;
  const link = await readLink(pool, hashOfToken(token), await clock.now());
  if (link?.purpose !== 'reactivate') return undefined;
  return reactivationLinkHolds(link, await readDatedStanding(pool, link.identityId)) ? link : undefined;
}

/**
 * A mail program sends a form of either kind (RFC 8058, section 3.1). Its content
 * adds nothing, so it is ignored.
 */
function unsubscribeRoutes(server: FastifyInstance, context: Context): void {
  const options = { parseAs: 'buffer', bodyLimit: 4_096 } as const;
  server.addContentTypeParser('multipart/form-data', options, (_request, _body, done) => done(null, {}));
  const url = `${pagePaths.unsubscribe}/:token`;
  server.get<TokenParameters>(url, { schema: pageSchemas.unsubscribe }, async (request, reply) => {
    const link = await findUnsubscribeLink(context, request.params.token);
    return show(request, reply, context, link === undefined ? 'invalid' : 'unsubscribe');
  });
  server.post<TokenParameters>(url, { schema: pageSchemas.confirmUnsubscribe }, async (request, reply) => {
    const link = await findUnsubscribeLink(context, request.params.token);
    if (link === undefined) return show(request, reply, context, 'invalid');
    await unsubscribe(context.pool, link.identityId, await context.clock.now());
    return show(request, reply, context, 'unsubscribed');
  });
}

async function findUnsubscribeLink(context: Context, token: string): Promise<UnsubscribeLink | undefined> {
  const link = await readLink(context.pool, hashOfToken(token), await context.clock.now());
  return link?.purpose === 'unsubscribe' ? link : undefined;
}

/** The link is used up only when the account is back: after an earlier failure it stays valid. */
async function reactivate(context: Context, token: string): Promise<PageName> {
  const { dormouse, pool, clock } = context;
  const link = await findReactivationLink(context, token);
  if (link === undefined) return 'invalid';
  try {
    const answered = await dormouse.reactivateByLink(link.identityId, link.boundAt);
    // A repeated request gets its first answer, so the present standing decides.
    const standing = (await dormouse.standing(link.identityId)) ?? answered;
    if (standing.stage === 'deactivated') return standing.parked === undefined ? 'invalid' : 'busy';
  } catch (error) {
    if (error instanceof InvalidRequestError || error instanceof NotEnrolledError) return 'invalid';
    if (error instanceof DormouseUnavailableError) return 'busy';
    throw error;
  }
  await takeReactivationLinks(pool, link.identityId, await clock.now());
  return 'reactivated';
}
