/** `POST /v1/identities/:id/confirm-missing`: an identity that Kratos no longer knows was deleted on purpose. */
import type { Client } from '@temporalio/client';
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { parseIdentityId } from '../domain/identity-id.js';
import { namedActor } from '../http/actor.js';
import { change } from '../http/dry-run.js';
import { checkedReason, reasonText } from '../http/reason.js';
import { answers, identityParameters } from '../http/schemas.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { wakeLifecycle } from '../process/wake-lifecycle.js';
import { readStanding } from '../standings/standings-table.js';
import { confirmAbsence } from './confirmations-table.js';

export const confirmedAnswer = z.object({
  confirmed: z.literal(true),
  woken: z.boolean().describe('false: its lifecycle does not run; the next reconciliation starts it'),
});

/** @param pool Dormouse's database */
export function missingRoutes(pool: pg.Pool, temporal: Client): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().post(
      '/v1/identities/:id/confirm-missing',
      {
        config: change('identities:operate'),
        schema: {
          summary: 'It was deleted on purpose: takes the place of looks and of their control',
          security: [{ serviceToken: [] }],
          params: identityParameters,
          body: z.strictObject({
            reason: reasonText,
            withoutGrace: z.boolean().default(false).describe('forget it at once'),
          }),
          response: answers({ 200: confirmedAnswer }),
        },
        preHandler: async ({ params: { id } }) => assertMissing(pool, parseIdentityId(id)),
      },
      async (request, reply) => {
        const identityId = parseIdentityId(request.params.id);
        const { reason, withoutGrace } = request.body;
        const actor = namedActor(request, reply);
        const confirmation = {
          identityId,
          actor,
          reason: checkedReason(reason),
          withoutGrace,
          at: Date.now(),
        };
        await confirmAbsence(pool, confirmation);
        return { confirmed: true as const, woken: await wakeLifecycle(temporal.workflow, identityId) };
      },
    );
  };
}

async function assertMissing(pool: pg.Pool, identityId: string): Promise<void> {
  const standing = await readStanding(pool, identityId);
  if (standing?.blocked?.by === 'missing') return;
  const why =
    standing === undefined ? 'it was never enrolled' : 'its lifecycle found it in Kratos at its last look';
  throw new InvalidRequestError(`id: is not missing: ${why}. See who is: dormouse worklist --kind missing`);
}
