/** `POST /v1/activity`: an app tells that somebody was active. */
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { Dormouse } from '../client.js';
import { activityKinds } from '../domain/sign-of-life.js';

const time = z.union([
  z.int().describe('epoch milliseconds'),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

const body = z.strictObject({
  identityId: z.string(),
  at: time.optional(),
  kind: z.enum(activityKinds).default('human'),
  source: z.string().default('app'),
});

export function activityRoutes(dormouse: Dormouse): FastifyPluginAsync {
  return async (server) => {
    server.post('/v1/activity', async (request, reply) => {
      const { identityId, at, kind, source } = body.parse(request.body);
      const outcome = await dormouse.recordActivity(identityId, {
        ...(at === undefined ? {} : { at }),
        kind,
        source,
      });
      return reply.code(202).send({ outcome });
    });
  };
}
