/** `/v1/security-events…`: security events on their way to other systems, for operators. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change } from '../http/dry-run.js';
import { oneLine } from '../http/free-text.js';
import { answers, outputTime } from '../http/schemas.js';
import { listOutbox, outboxStates } from './outbox-table.js';
import { retryAndAudit } from './retry.js';

const security = [{ serviceToken: [] }];
const listed = 200;

export const outboxAnswer = z.object({
  events: z.array(
    z.object({
      jti: z.string(),
      receiver: z.string(),
      name: z.string(),
      identityId: z.string(),
      state: z.enum(outboxStates),
      attempts: z.number(),
      lastError: z.string().nullable(),
      occurredAt: outputTime(),
    }),
  ),
});
export const retriedAnswer = z.object({ retried: z.number() });

/** @param pool Dormouse's database */
export function outboxRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/security-events',
      {
        config: scoped('audit:read'),
        schema: {
          summary: `The outbox, the oldest first, ${listed} at most`,
          security,
          querystring: z.strictObject({ state: z.enum(outboxStates).default('parked') }),
          response: answers({ 200: outboxAnswer }),
        },
      },
      async ({ query: { state } }) => ({ events: await listOutbox(pool, state, listed) }),
    );
    server.post(
      '/v1/security-events/retries',
      {
        config: change('identities:operate'),
        schema: {
          summary: 'Have parked events tried again: one, those of one receiver, or all',
          security,
          body: z.strictObject({
            jti: oneLine(200).optional(),
            receiver: oneLine(100).optional(),
          }),
          response: answers({ 200: retriedAnswer }),
        },
      },
      async (request, reply) => {
        const decision = { actor: namedActor(request, reply), at: Date.now() };
        return { retried: await retryAndAudit(pool, { ...given(request.body), ...decision }) };
      },
    );
  };
}
