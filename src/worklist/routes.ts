/** `GET /v1/worklist`: everything that waits for a person's decision. */

import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Dormouse } from '../client.js';
import { parseDuration } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { scoped } from '../http/access.js';
import { answers, outputTime } from '../http/schemas.js';
import { workKinds } from './rules.js';

const item = z.object({
  kind: z.enum(workKinds),
  identityId: z.string().exactOptional().describe('absent: it concerns the installation'),
  since: outputTime().exactOptional(),
  subject: z.string(),
  why: z.string(),
  wayOut: z.string(),
  owner: z.string().exactOptional(),
  dueAt: outputTime().exactOptional(),
});

const duration = (what: string, example: string) =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, `must be a duration as ${example}`)
    .optional()
    .describe(`${what}; default: ${example}`);

const querystring = z.strictObject({
  holdsWithin: duration('holds that end within this time', '14d'),
  disabledFor: duration('identities disabled by hand for longer', '90d'),
  kind: z.enum(workKinds).optional(),
  after: z.string().max(100).optional().describe('what the page before gave as "next"'),
  limit: z.coerce.number().pipe(z.int().min(1).max(1_000)).default(100),
});

export const worklistAnswer = z.object({
  counts: z.record(z.enum(workKinds), z.number()).readonly(),
  items: z.array(item).readonly(),
  next: z.string().exactOptional().describe('where the next page begins; absent at the end'),
});
const response = answers({ 200: worklistAnswer });

export function worklistRoute(dormouse: Dormouse): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().get(
      '/v1/worklist',
      {
        config: scoped('worklist:read'),
        schema: {
          summary: "What waits for a person's decision",
          security: [{ serviceToken: [] }],
          querystring,
          response,
        },
      },
      ({ query: { kind, after, limit, holdsWithin, disabledFor } }) =>
        dormouse.worklist({
          limit,
          ...given({
            kind,
            after,
            holdEndsWithinMs: holdsWithin === undefined ? undefined : parseDuration(holdsWithin),
            disabledForMs: disabledFor === undefined ? undefined : parseDuration(disabledFor),
          }),
        }),
    );
  };
}
