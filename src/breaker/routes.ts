/** `/v1/breaker…`: what the breaker stopped, and its release by operators who showed a credential. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { breakerActions } from '../domain/breaker/rules.js';
import { dayMs } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { highestVersion } from '../domain/names.js';
import { rfc3339 } from '../domain/rfc3339.js';
import { principalOf, scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change, isDryRun } from '../http/dry-run.js';
import { sendLines } from '../http/lines.js';
import { checkedReason, reasonText } from '../http/reason.js';
import { answers, outputTime } from '../http/schemas.js';
import { inTransaction } from '../postgres/pool.js';
import { approveRelease, proposeRelease, tripAndAudit, tryApproval, tryProposal } from './decisions.js';
import { breakerOverview, waitingForBreaker } from './overview.js';
import { waitingTokens } from './waiting-tokens-table.js';

const number = z.coerce.number().pipe(z.int().min(1).max(highestVersion));
const params = z.object({ id: number });
const security = [{ serviceToken: [] }];

export const releaseAnswer = z.object({
  id: z.number(),
  tripId: z.number(),
  reason: reasonText,
  identities: z.array(z.string()).readonly().exactOptional().describe('absent: all'),
  actors: z.array(z.string()).readonly(),
  owners: z.array(z.string()).readonly().describe('two of one owner count as one operator'),
  operators: z.number().describe('how many different operators it needs'),
  effectiveAt: outputTime('absent while approvals are missing').exactOptional(),
});

export const tripAnswer = z.object({
  id: z.number(),
  scope: z.enum([...breakerActions, 'all']),
  cause: z.string(),
  why: z.string(),
  trippedAt: outputTime(),
  operators: z.number(),
});

export const overviewAnswer = z.object({
  trips: z.array(tripAnswer).readonly(),
  pending: z.array(releaseAnswer).readonly(),
  acts: z.record(z.enum(breakerActions), z.number()).readonly().describe('within a day'),
  population: z.number(),
  waiting: z.number().describe('identities'),
  waitingTokens: z
    .number()
    .describe('tokens over a limit whose end is held, as the latest sweeps found them'),
  warnings: z.array(z.string()).readonly(),
});

const proposal = z.strictObject({
  reason: reasonText,
  identities: z
    .array(z.guid())
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
          response: answers({ 200: overviewAnswer }),
        },
      },
      () => breakerOverview(pool, Date.now() - dayMs, Date.now()),
    );
    plain.get(
      '/v1/breaker/waiting',
      {
        config: scoped('breaker:read'),
        schema: {
          summary: 'Identities whose next step waits for the breaker, the longest absent first',
          security,
          produces: ['application/x-ndjson'],
          response: answers({ 200: z.string().describe('one JSON object a line') }),
        },
      },
      (_request, reply) => sendLines(reply, waitingLines(pool)),
    );
    plain.get(
      '/v1/breaker/waiting/tokens',
      {
        config: scoped('breaker:read'),
        schema: {
          summary: 'Tokens over a limit whose end the latest sweeps found held by the breaker',
          security,
          produces: ['application/x-ndjson'],
          response: answers({ 200: z.string().describe('one JSON object a line') }),
        },
      },
      (_request, reply) => sendLines(reply, tokenLines(pool)),
    );
    tripRoute(plain, pool);
    decisionRoutes(plain, pool);
  };
}

async function* waitingLines(pool: pg.Pool): AsyncGenerator<object> {
  for await (const one of waitingForBreaker(pool)) yield { ...one, lastActiveAt: rfc3339(one.lastActiveAt) };
}

async function* tokenLines(pool: pg.Pool): AsyncGenerator<object> {
  for await (const one of waitingTokens(pool)) yield { ...one, waitsSince: rfc3339(one.waitsSince) };
}

const tripping = z.strictObject({
  scope: z.enum([...breakerActions, 'all']),
  reason: reasonText,
  operators: z.int().min(1).max(10).default(1).describe('different operators that its release needs'),
});

function tripRoute(plain: FastifyInstance, pool: pg.Pool): void {
  plain.withTypeProvider<ZodTypeProvider>().post(
    '/v1/breaker/trips',
    {
      config: change('breaker:propose'),
      schema: {
        summary: 'Stop one kind of act, or all at once',
        security,
        body: tripping,
        response: answers({ 200: tripAnswer }),
      },
    },
    (request, reply) => {
      const { scope, reason, operators } = request.body;
      const why = checkedReason(reason);
      const wanted = { scope, cause: 'operator', why, trippedAt: Date.now(), operators } as const;
      const actor = namedActor(request, reply);
      return inTransaction(pool, (client) => tripAndAudit(client, wanted, actor));
    },
  );
}

type OfOne = FastifyRequest<{ Params: z.output<typeof params> }>;

function proposed(request: OfOne & { readonly body: z.output<typeof proposal> }) {
  const { reason, identities } = given(request.body);
  const { actor, owner } = principalOf(request);
  const decision = { tripId: request.params.id, reason: checkedReason(reason), at: Date.now() };
  return { ...decision, actor, owner, ...given({ identities }) };
}

function approved(request: OfOne) {
  const { actor, owner } = principalOf(request);
  return { releaseId: request.params.id, actor, owner, at: Date.now() };
}

/** The workers wake whom a release lets pass. */
function decisionRoutes(plain: FastifyInstance, pool: pg.Pool): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  server.post(
    '/v1/breaker/trips/:id/releases',
    {
      config: change('breaker:propose'),
      bodyLimit: 524_288,
      schema: {
        summary: 'Propose to release a trip; it takes effect where one operator is enough',
        security,
        params,
        body: proposal,
        response: answers({ 200: releaseAnswer }),
      },
      preHandler: async (request) => {
        if (isDryRun(request)) await tryProposal(pool, proposed(request));
      },
    },
    (request, reply) => {
      namedActor(request, reply);
      return proposeRelease(pool, proposed(request));
    },
  );
  server.post(
    '/v1/breaker/releases/:id/approvals',
    {
      config: change('breaker:approve'),
      schema: {
        summary: 'Agree, as another operator, to a release that was proposed',
        security,
        params,
        body: z.strictObject({}).nullish(),
        response: answers({ 200: releaseAnswer }),
      },
      preHandler: async (request) => {
        if (isDryRun(request)) await tryApproval(pool, approved(request));
      },
    },
    (request, reply) => {
      namedActor(request, reply);
      return approveRelease(pool, approved(request));
    },
  );
}
