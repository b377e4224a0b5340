/** `/v1/policies/:id/rollouts…`: how the latest version of a policy reaches the people who are due earlier by it. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { highestVersion } from '../domain/names.js';
import { scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change } from '../http/dry-run.js';
import { checkedReason, reasonText } from '../http/reason.js';
import { answers, outputTime } from '../http/schemas.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import type { RolloutProgress } from '../workflows/rollout-messages.js';
import { pauseRollout, resumeLatestRollout, takeBackRollout } from './decisions.js';
import type { RolloutPlaceOfWork } from './start.js';
import { rolloutStatus } from './status.js';

const security = [{ serviceToken: [] }];
const params = z.object({ id: z.string().describe('of a policy') });
const counts = { seen: z.number(), earlier: z.number(), woken: z.number(), failed: z.number() };

export const rolloutsAnswer = z.object({
  rollouts: z.array(
    z.object({
      policyId: z.string(),
      version: z.number(),
      state: z.enum(['waking', 'paused', 'done', 'superseded', 'cancelled']),
      startedAt: outputTime(),
      changedAt: outputTime(),
      ...counts,
      phase: z.string().exactOptional(),
    }),
  ),
});
export const progressAnswer = z.object({
  policyId: z.string(),
  version: z.number(),
  phase: z.string(),
  isPaused: z.boolean(),
  ...counts,
});

const reasoned = z.strictObject({ reason: reasonText });

/** @param pool Dormouse's database */
export function rolloutRoutes(pool: pg.Pool, system: RolloutPlaceOfWork): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/policies/:id/rollouts',
      {
        config: scoped('policy:read'),
        schema: {
          summary: "How far the roll-outs of a policy are, the latest version's first",
          security,
          params,
          response: answers({ 200: rolloutsAnswer }),
        },
      },
      async ({ params: { id } }) => ({
        rollouts: await rolloutStatus(pool, system, checkedPolicyId('id', id)),
      }),
    );
    const described = <Body extends z.ZodType>(summary: string, body: Body) => ({
      config: change('policy:publish'),
      preHandler: async (request: FastifyRequest) =>
        void idOf(request as FastifyRequest<{ Params: z.output<typeof params> }>),
      schema: { summary, security, params, body, response: answers({ 200: progressAnswer }) },
    });
    server.post(
      '/v1/policies/:id/rollouts/pause',
      described('Wake nobody more; who was woken already goes on', reasoned),
      async (request, reply) =>
        answerOf(await pauseRollout(system, idOf(request), decisionOf(request, reply))),
    );
    server.post(
      '/v1/policies/:id/rollouts/resume',
      described('Go on with a roll-out that was paused', reasoned),
      async (request, reply) =>
        answerOf(await resumeLatestRollout({ ...system, pool }, idOf(request), decisionOf(request, reply))),
    );
    server.post(
      '/v1/policies/:id/rollouts/back',
      described(
        'Publish the text of an earlier version as the next one, and take that to people instead',
        reasoned.extend({
          toVersion: z
            .int()
            .min(1)
            .max(highestVersion)
            .optional()
            .describe('left out: the one before the version under way'),
        }),
      ),
      async (request, reply) => {
        const decision = { ...decisionOf(request, reply), ...given({ to: request.body.toVersion }) };
        return answerOf(await takeBackRollout(system, idOf(request), decision));
      },
    );
  };
}

const idOf = ({ params: { id } }: { readonly params: { readonly id: string } }) => checkedPolicyId('id', id);

function decisionOf(request: Pick<FastifyRequest, 'body'> & object, reply: object) {
  const { reason } = request.body as z.output<typeof reasoned>;
  const actor = namedActor(request as FastifyRequest, reply as FastifyReply);
  return { schemaVersion: 1 as const, actor, reason: checkedReason(reason) };
}

const answerOf = ({ policyId, version, place, paused, counts: counted }: RolloutProgress) => {
  const { seen, earlier, woken, failed } = counted;
  const isPaused = paused !== undefined;
  return { ...{ policyId, version, phase: place.phase, isPaused }, ...{ seen, earlier, woken, failed } };
};
