/** "Keep my account": shows what is put off, and puts it off when confirmed. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type KeepLink, keepLinkHolds } from '../domain/links.js';
import { postponedUntil } from '../domain/postponement.js';
import { hashOfToken } from '../links/link-token.js';
import { pagePaths } from '../links/link-urls.js';
import { readLink } from '../links/links-table.js';
import { confirmPostponement, isAnswered } from '../links/postponements-table.js';
import { durationInWords, formatDeadline } from '../mail/durations.js';
import { readDatedStanding } from '../standings/standings-table.js';
import { localeOf } from './accept-language.js';
import { byLink, type PageContext, show } from './page.js';
import { pageSchemas, type TokenParameters } from './page-schemas.js';
import type { PageView } from './render-page.js';

export function keepRoutes(server: FastifyInstance, context: PageContext): void {
  const url = `${pagePaths.keep}/:token`;
  server.get<TokenParameters>(url, { config: byLink, schema: pageSchemas.keep }, async (request, reply) => {
    const now = await context.clock.now();
    const link = await findKeepLink(context, request.params.token, now);
    if (link === undefined) return show(request, reply, context, 'invalid');
    return show(request, reply, context, 'keep', describeKeep(request, link, now));
  });
  server.post<TokenParameters>(
    url,
    { config: byLink, schema: pageSchemas.confirmKeep },
    async (request, reply) => {
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
    },
  );
}

async function findKeepLink(context: PageContext, token: string, now: number): Promise<KeepLink | undefined> {
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
