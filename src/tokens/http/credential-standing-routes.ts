/** `GET /v1/identities/:id/credentials`: when the tokens of one identity end for inactivity. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { parseIdentityId } from '../../domain/identity-id.js';
import { scoped } from '../../http/access.js';
import { answers, identityParameters, outputTime } from '../../http/schemas.js';
import { databaseNow } from '../../postgres/database-now.js';
import { readStanding } from '../../standings/standings-table.js';
import { credentialStandings } from '../credentials.js';

const standing = z.object({
  kind: z.enum(['refresh', 'personal']),
  type: z.string().exactOptional().describe("of personal access tokens: the policy's type"),
  policyId: z.string(),
  inactiveMs: z.number().nullable().describe('how long one may be unused; null: it never ends for that'),
  live: z.number(),
  nextEndAt: outputTime('when the first of them ends if nobody uses it').exactOptional(),
});

export const credentialsAnswer = z.object({ credentials: z.array(standing) });

/** @param pool Dormouse's database */
export function credentialStandingRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().get(
      '/v1/identities/:id/credentials',
      {
        config: scoped('standing:read'),
        schema: {
          summary: "When an identity's tokens end for inactivity; empty for one that is not known",
          security: [{ serviceToken: [] }],
          params: identityParameters,
          response: answers({ 200: credentialsAnswer }),
        },
      },
      async ({ params: { id } }) => {
        const identityId = parseIdentityId(id);
        const policyId = (await readStanding(pool, identityId))?.policy?.id;
        return {
          credentials: await credentialStandings(pool, { identityId, policyId }, await databaseNow(pool)),
        };
      },
    );
  };
}
