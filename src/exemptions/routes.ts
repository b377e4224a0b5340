/** `GET /v1/exemptions`: the exemptions that operators set. Their decisions are routes of one identity. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { scoped } from '../http/access.js';
import { answers, exemptionAnswer } from '../http/schemas.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { type ExemptionPlace, exemptionsInForce } from './exemptions-table.js';

const pageRows = 500;

export const exemptionsAnswer = z.object({
  exemptions: z.array(exemptionAnswer),
  next: z.string().exactOptional().describe('where the next page begins; absent at the end'),
});

/** @param pool Dormouse's database */
export function exemptionsRoute(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().get(
      '/v1/exemptions',
      {
        config: scoped('worklist:read'),
        schema: {
          summary: 'Exemptions in force, the earliest review first',
          security: [{ serviceToken: [] }],
          querystring: z.strictObject({ after: z.string().max(100).optional() }),
          response: answers({ 200: exemptionsAnswer }),
        },
      },
      async ({ query: { after } }) => {
        const place = after === undefined ? undefined : placeOf(after);
        const exemptions = await exemptionsInForce(pool, { rows: pageRows, ...given({ after: place }) });
        const last = exemptions.length < pageRows ? undefined : exemptions.at(-1);
        return { exemptions, ...given({ next: last && `${last.reviewAt}.${last.id}` }) };
      },
    );
  };
}

/** @throws InvalidRequestError */
function placeOf(cursor: string): ExemptionPlace {
  const [, reviewAt, id] = /^(\d{1,16})\.(\d{1,10})$/.exec(cursor) ?? [];
  if (reviewAt !== undefined && id !== undefined) return { reviewAt: Number(reviewAt), id: Number(id) };
  throw new InvalidRequestError('after: is not the end of a page. Pass what the page before gave as "next"');
}
