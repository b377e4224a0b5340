/**
 * `POST /v1/hooks/kratos`: Kratos reports a successful sign-in, registration, recovery or change of settings.
 * Its after-hooks run on success only, so a failed sign-in never arrives here.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Dormouse } from '../../client.js';
import { scoped } from '../../http/access.js';
import { answers } from '../../http/schemas.js';

/** Exactly what deploy/kratos/dormouse-activity.jsonnet sends. */
const body = z.strictObject({
  identity_id: z.string().describe('UUID of the identity'),
  flow: z.enum(['login', 'registration', 'recovery', 'settings']),
});

const schema = {
  summary: 'Kratos: a self-service flow succeeded',
  security: [{ kratosHookKey: [] }],
  body,
  response: answers({ 202: z.object({ outcome: z.enum(['recorded', 'dropped']) }) }),
};

export function kratosHook(dormouse: Dormouse): FastifyPluginAsync {
  return async (server) => {
    server.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/hooks/kratos',
      schema,
      bodyLimit: 1_024,
      config: scoped('hooks:kratos'),
      handler: async ({ body: { identity_id, flow } }, reply) => {
        // Uses the gateway's own time. Awaited, so that Kratos tries again when
        // the sign could not be recorded.
        const outcome = await dormouse.recordActivity(identity_id, {
          kind: 'human',
          source: `kratos-${flow}`,
        });
        return reply.code(202).send({ outcome });
      },
    });
  };
}
