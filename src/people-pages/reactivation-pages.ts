/** The way back after a deactivation: asks for a link, and ends the deactivation by one. */
import type { FastifyInstance } from 'fastify';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from '../client.js';
import { type ReactivationLink, reactivationLinkHolds } from '../domain/links.js';
import type { RateLimits } from '../http/gate.js';
import { hashOfToken } from '../links/link-token.js';
import { pagePaths } from '../links/link-urls.js';
import { readLink, takeReactivationLinks } from '../links/links-table.js';
import { findByReturnAddress } from '../links/return-addresses-table.js';
import { readDatedStanding } from '../standings/standings-table.js';
import { LinkRequests } from './link-requests.js';
import { byLink, limitTo, type PageContext, show } from './page.js';
import { pageSchemas, type RequestForm, type TokenParameters } from './page-schemas.js';
import type { PageName } from './render-page.js';

export function reactivationRoutes(
  server: FastifyInstance,
  context: PageContext,
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
  server.get(pagePaths.reactivate, { config: byLink, schema: pageSchemas.request }, async (request, reply) =>
    show(request, reply, context, 'request'),
  );
  server.post<RequestForm>(
    pagePaths.reactivate,
    {
      config: byLink,
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
  server.get<TokenParameters>(
    url,
    { config: byLink, schema: pageSchemas.reactivate },
    async (request, reply) => {
      const link = await findReactivationLink(context, request.params.token);
      return show(request, reply, context, link === undefined ? 'invalid' : 'reactivate');
    },
  );
  server.post<TokenParameters>(
    url,
    { config: byLink, schema: pageSchemas.confirmReactivate },
    async (request, reply) => show(request, reply, context, await reactivate(context, request.params.token)),
  );
}

async function findReactivationLink(
  context: PageContext,
  token: string,
): Promise<ReactivationLink | undefined> {
  const { pool, clock } = context;
  const link = await readLink(pool, hashOfToken(token), await clock.now());
  if (link?.purpose !== 'reactivate') return undefined;
  return reactivationLinkHolds(link, await readDatedStanding(pool, link.identityId)) ? link : undefined;
}

/** The link is used up only when the account is back: after an earlier failure it stays valid. */
async function reactivate(context: PageContext, token: string): Promise<PageName> {
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
