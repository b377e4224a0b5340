/** The page of one identity, and the way to it. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { InvalidRequestError } from '../client.js';
import { isIdentityId, parseIdentityId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import type { DeskContext } from './context.js';
import { findOneByAddress } from './find-by-address.js';
import { identityView } from './identity-view.js';
import { may, show } from './show.js';

const params = z.object({ id: z.string().refine(isIdentityId, 'is not the UUID of an identity') });
const querystring = z.object({
  before: z.coerce.number().pipe(z.int().min(1)).optional(),
  done: z.string().optional(),
});
const body = z.object({ who: z.string().trim().min(1, 'is empty').max(320, 'is too long') });

export function identityRoute(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const config = scopedPage('standing:read', access);
  const server = plain.withTypeProvider<ZodTypeProvider>();
  server.get(
    '/desk/identities/:id',
    { config, schema: { hide: true, params, querystring } },
    async (request, reply) => {
      const id = parseIdentityId(request.params.id);
      const view = await identityView(context, request, id, request.query.before);
      return show(context, request, reply, 'identity', { title: `Identity ${id}`, view });
    },
  );
  // By POST, so that no address gets into a log or a history.
  server.post('/desk/find', { config, schema: { hide: true, body } }, async (request, reply) => {
    // As the Temporal UI names a workflow.
    const who = request.body.who.replace(/^identity-lifecycle\//, '');
    if (isIdentityId(who)) return reply.redirect(identityUrl(who), 303);
    if (!may(request, 'addresses:read')) {
      throw new InvalidRequestError(
        'who: is not the UUID of an identity. Looking somebody up by address takes the scope addresses:read',
      );
    }
    return reply.redirect(identityUrl(await findOneByAddress(context, who)), 303);
  });
}
