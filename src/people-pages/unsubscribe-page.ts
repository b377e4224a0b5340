/** Ends mails that are not owed, by one click of a mail program or on the page. */
import type { FastifyInstance } from 'fastify';
import type { UnsubscribeLink } from '../domain/links.js';
import { hashOfToken } from '../links/link-token.js';
import { pagePaths } from '../links/link-urls.js';
import { readLink } from '../links/links-table.js';
import { unsubscribe } from '../mail/preferences-table.js';
import { byLink, type PageContext, show } from './page.js';
import { pageSchemas, type TokenParameters } from './page-schemas.js';

/**
 * A mail program sends a form of either kind (RFC 8058, section 3.1). Its content
 * adds nothing, so it is ignored.
 */
export function unsubscribeRoutes(server: FastifyInstance, context: PageContext): void {
  const options = { parseAs: 'buffer', bodyLimit: 4_096 } as const;
  server.addContentTypeParser('multipart/form-data', options, (_request, _body, done) => done(null, {}));
  const url = `${pagePaths.unsubscribe}/:token`;
  server.get<TokenParameters>(
    url,
    { config: byLink, schema: pageSchemas.unsubscribe },
    async (request, reply) => {
      const link = await findUnsubscribeLink(context, request.params.token);
      return show(request, reply, context, link === undefined ? 'invalid' : 'unsubscribe');
    },
  );
  server.post<TokenParameters>(
    url,
    { config: byLink, schema: pageSchemas.confirmUnsubscribe },
    async (request, reply) => {
      const link = await findUnsubscribeLink(context, request.params.token);
      if (link === undefined) return show(request, reply, context, 'invalid');
      await unsubscribe(context.pool, link.identityId, await context.clock.now());
      return show(request, reply, context, 'unsubscribed');
    },
  );
}

async function findUnsubscribeLink(
  context: PageContext,
  token: string,
): Promise<UnsubscribeLink | undefined> {
  const link = await readLink(context.pool, hashOfToken(token), await context.clock.now());
  return link?.purpose === 'unsubscribe' ? link : undefined;
}
