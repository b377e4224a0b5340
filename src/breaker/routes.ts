/** `/v1/breaker…`: what the breaker stopped, and its release by operators who showed a credential. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { InvalidRequestError } from '../client.js';
import { breakerActions } from '../domain/breaker/rules.js';
import { dayMs } from '../domain/duration.js';
import { normalText } from '../domain/free-text.js';
import { given } from '../domain/given.js';
import { highestVersion, reasonProblem } from '../domain/names.js';
import { principalOf, scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { answers, outputTime } from '../http/schemas.js';
import { approveRelease, proposeRelease } from './decisions.js';
import { breakerOverview } from './overview.js';
import { type Release, ReleaseRefusedError } from './releases-table.js';

const number = z.coerce.number().pipe(z.int().min(1).max(highestVersion));
const params = z.object({ id: number });
const security = [{ serviceToken: [] }];

const release = z.object({
  id: z.number(),
  tripId: z.number(),
  reason: z.string(),
  identities: z.array(z.string()).readonly().exactOptional().describe('absent: all'),
  actors: z.array(z.string()).readonly(),
  owners: z.array(z.string()).readonly().describe('two of one owner count as one operator'),
  operators: z.number().describe('how many different operators it needs'),
  effectiveAt: outputTime('absent while approvals are missing').exactOptional(),
});

const trip = z.object({
  id: z.number(),
  scope: z.enum([...breakerActions, 'all']),
  cause: z.string(),
  why: z.string(),
  trippedAt: outputTime(),
  operators: z.number(),
});

const overview = z.object({
  trips: z.array(trip).readonly(),
  pending: z.array(release).readonly(),
  acts: z.record(z.enum(breakerActions), z.number()).readonly().describe('within a day'),
  population: z.number(),
  waiting: z.number().describe('identities'),
  waitingTokens: z
    .number()
    .describe('tokens over a limit whose end is held, as the latest sweeps found them'),
  warnings: z.array(z.string()).readonly(),
});

const proposal = z.strictObject({
  reason: z.string(),
  identities: z
    .array(z.uuid())
    .min(1)
    .max(10_000)
    .optional()
    .describe('only these pass, once each, and the trip stays; left out: the trip ends'),
});

/** @param pool Dormouse's database */
export function breakerRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/breaker',
      {
        config: scoped('breaker:read'),
        schema: {
          summary: 'What is tripped and why, what was done within a day, and how many wait',
          security,
          response: answers({ 200: overview }),
        },
      },
      () => breakerOverview(pool, Date.now() - dayMs, Date.now()),
    );
    decisionRoutes(plain, pool);
  };
}

/** The workers wake whom a release lets pass. */
function decisionRoutes(plain: FastifyInstance, pool: pg.Pool): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  server.post(
    '/v1/breaker/trips/:id/releases',
    {
      config: scoped('breaker:propose'),
      bodyLimit: 524_288,
      schema: {
        summary: 'Propose to release a trip; it takes effect where one operator is enough',
        security,
        params,
        body: proposal,
        response: answers({ 200: release }),
      },
    },
    (request, reply) => {
      const { reason, identities } = given(request.body);
      const problem = reasonProblem(reason);
      if (problem !== undefined) throw new InvalidRequestError(`reason: ${problem}`);
      const { owner } = principalOf(request);
      const decision = { tripId: request.params.id, reason: normalText(reason), owner, at: Date.now() };
      const actor = namedActor(request, reply);
      return decided(proposeRelease(pool, { ...decision, actor, ...given({ identities }) }));
    },
  );
  server.post(
    '/v1/breaker/releases/:id/approvals',
    {
      config: scoped('breaker:approve'),
      schema: {
        summary: 'Agree, as another operator, to a release that was proposed',
        security,
        params,
        body: z.strictObject({}).nullish(),
        response: answers({ 200: release }),
      },
    },
    (request, reply) => {
      const { owner } = principalOf(request);
      const approval = { releaseId: request.params.id, owner, at: Date.now() };
      return decided(approveRelease(pool, { ...approval, actor: namedActor(request, reply) }));
    },
  );
}

/** @throws InvalidRequestError where nothing was changed, with the way out */
async function decided(decision: Promise<Release>): Promise<Release> {
  try {
    return await decision;
  } catch (error) {
    if (error instanceof ReleaseRefusedError) throw new InvalidRequestError(error.message, { cause: error });
    throw error;
  }
}
