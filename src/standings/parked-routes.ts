/** `/v1/parked…`: steps that failed for good, of all identities. */
import type { Client } from '@temporalio/client';
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change } from '../http/dry-run.js';
import { answers, outputTime } from '../http/schemas.js';
import { parkedPage } from '../worklist/parked.js';
import { retryAll } from './retry-all.js';

const security = [{ serviceToken: [] }];
const pageRows = 1_000;
/** A request that tells more would take longer than proxies wait. */
const retrySeconds = 20;
const mostRetries = 200;

const errorType = z.string().max(100).optional().describe('only those of this error, as KratosUnavailable');
const after = z.guid().optional().describe('what the answer before gave as "next"');
const next = z.string().exactOptional().describe('where the next page begins; absent at the end');

export const parkedAnswer = z.object({
  parked: z.array(
    z.object({
      identityId: z.string(),
      step: z.string(),
      errorType: z.string(),
      wayOut: z.string(),
      since: outputTime(),
    }),
  ),
  next,
});
export const retriedAnswer = z.object({
  told: z.number().describe('lifecycles that try again; what fails again is parked again'),
  gone: z.number().describe('identities without a lifecycle'),
  next,
});

/** @param pool Dormouse's database */
export function parkedRoutes(pool: pg.Pool, temporal: Client): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/parked',
      {
        config: scoped('worklist:read'),
        schema: {
          summary: 'Who is parked, at which step, by which error, and the way out',
          security,
          querystring: z.strictObject({ error: errorType, after }),
          response: answers({ 200: parkedAnswer }),
        },
      },
      ({ query: { error, after: from } }) =>
        parkedPage(pool, { rows: pageRows, ...given({ error, after: from }) }),
    );
    server.post(
      '/v1/parked/retries',
      {
        config: change('identities:operate'),
        schema: {
          summary: `Try parked steps again, of ${mostRetries} identities at most`,
          security,
          body: z.strictObject({
            error: errorType,
            after,
            perSecond: z.number().min(0.1).max(100).default(10),
          }),
          response: answers({ 200: retriedAnswer }),
        },
      },
      async (request, reply) => {
        const { perSecond, ...choice } = request.body;
        const rows = Math.max(1, Math.min(mostRetries, Math.floor(perSecond * retrySeconds)));
        const page = await parkedPage(pool, { rows, ...given(choice) });
        const ids = page.parked.map(({ identityId }) => identityId);
        const retried = await retryAll(temporal, ids, { actor: namedActor(request, reply), perSecond });
        return { ...retried, ...given({ next: page.next }) };
      },
    );
  };
}
