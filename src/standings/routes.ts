/** `/v1/identities/:id/…`: standing for apps, and operators' decisions about one identity. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Dormouse, type HoldAnswer, InvalidRequestError, NotEnrolledError } from '../client.js';
import { exemptionKinds, reviewProblem } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { holdKinds, holdProblem } from '../domain/lifecycle/holds.js';
import {
  highestVersion,
  opaqueNamePattern,
  policyIdPattern,
  requestIdForm,
  requestIdPattern,
} from '../domain/names.js';
import { scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change } from '../http/dry-run.js';
import { reasonText } from '../http/reason.js';
import {
  answers,
  exemptionAnswer,
  inputTime,
  liveStandingAnswer,
  outputTime,
  identityParameters as params,
  problem,
  standingAnswer,
  withoutLifecycleAnswer,
} from '../http/schemas.js';

const request = z.strictObject({
  // A client of an earlier release sends one. Were it refused, a hold would not be placed and the ladder would go on.
  actor: z
    .unknown()
    .optional()
    .describe('ignored: the actor is the credential, as the header x-dormouse-actor of the answer says'),
  requestId: z
    .string()
    .max(100)
    .regex(requestIdPattern, requestIdForm)
    .optional()
    .describe('makes repeating the request harmless'),
});
const reasoned = request.extend({ reason: reasonText });

const policyId = z.string().regex(policyIdPattern, 'is not the id of a policy, as "default"');
const owner = z
  .string()
  .regex(
    opaqueNamePattern,
    'must be an opaque id of at most 64 letters, digits and . _ : / - (an identity id, a team), never an e-mail address',
  )
  .describe('who answers for it: an opaque id or the name of a team');

const bodies = {
  enrol: z.strictObject({ lastActiveAt: inputTime.optional(), policyId: policyId.optional() }).nullish(),
  hold: reasoned.extend({ until: inputTime, kind: z.enum(holdKinds).optional().describe('default: other') }),
  release: reasoned.extend({
    holdId: z.string().max(20).optional().describe('the hold that ends; left out: the only one'),
    kind: z.enum(holdKinds).optional().describe('a legal hold ends only where this says so'),
  }),
  reactivate: reasoned,
  'apply-policy': request.extend({
    policyId,
    version: z.int().min(1).max(highestVersion).optional(),
  }),
  'retry-parked': request,
  'skip-parked': reasoned,
  exempt: reasoned.extend({ kind: z.enum(exemptionKinds), owner, reviewAt: inputTime }),
  'review-exemption': reasoned
    .omit({ requestId: true })
    .extend({ owner: owner.optional(), reviewAt: inputTime }),
  'end-exemption': reasoned.omit({ requestId: true }),
};

const unknown = { 404: problem.describe('Never enrolled, unknown, or deleted') };
const standing = { ...answers({ 200: standingAnswer }), ...unknown };
const started = z.object({ started: z.boolean().describe('whether it was started now') });
const exemption = answers({ 200: exemptionAnswer });
const security = [{ serviceToken: [] }];

/** Any identity may be held. */
const held = answers({
  200: standingAnswer,
  202: withoutLifecycleAnswer.describe('No lifecycle runs: it is stored, and read when one starts'),
});

/** The OpenAPI description of a route in this file. */
const describe = <Body extends z.ZodType>(summary: string, body: Body) => ({
  summary,
  security,
  params,
  body,
  response: standing,
});

export function identityRoutes(dormouse: Dormouse): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    const base = '/v1/identities/:id';
    // Before the handler, so that a dry run refuses it too.
    plain.addHook<{ Params: z.output<typeof params> }>('preHandler', async (request) => {
      parseIdentityId(request.params.id);
    });
    server.get(
      `${base}/standing`,
      {
        config: scoped('standing:read'),
        schema: {
          summary: 'Where it stands, what is next, when and why',
          security,
          params,
          querystring: z.strictObject({
            live: z
              .enum(['true', 'false'])
              .default('false')
              .describe(
                'true: from the workflow itself; exact, slower, with all obstacles and with the ends of credentials',
              ),
          }),
          response: { ...answers({ 200: liveStandingAnswer }), ...unknown },
        },
      },
      async ({ params: { id }, query: { live } }) => {
        const found = live === 'true' ? await dormouse.liveStanding(id) : await dormouse.standing(id);
        // A deleted identity is answered as one that never was: whether somebody was deleted is nobody's business.
        if (found === undefined || found.stage === 'deleted') throw new NotEnrolledError();
        return found;
      },
    );
    server.get(
      `${base}/revoked-before`,
      {
        config: scoped('standing:read'),
        schema: {
          summary: 'Since when credentials are void, for checkers that verify offline',
          description:
            'The same for unknown and never enrolled identities: absent where nothing was revoked.',
          security,
          params,
          response: answers({ 200: z.object({ revokedBefore: outputTime().exactOptional() }) }),
        },
      },
      async ({ params: { id } }) => {
        return given({ revokedBefore: await dormouse.revokedBefore(id) });
      },
    );
    server.post(
      `${base}/look-again`,
      {
        config: change('identities:enrol'),
        schema: {
          summary: 'Let the lifecycle look at everything again now',
          security,
          params,
          body: z.strictObject({}).nullish(),
          response: { ...answers({ 202: z.object({ told: z.literal(true) }) }), ...unknown },
        },
      },
      async ({ params: { id } }, reply) => {
        await dormouse.lookAgain(id);
        return reply.code(202).send({ told: true });
      },
    );
    server.post(
      `${base}/enrol`,
      {
        config: change('identities:enrol'),
        schema: {
          summary: 'Start its lifecycle',
          security,
          params,
          body: bodies.enrol,
          response: answers({
            200: started.describe('It ran already'),
            201: started.describe('It was started'),
          }),
        },
      },
      async ({ params: { id }, body }, reply) => {
        const { lastActiveAt, ...rest } = given(body ?? {});
        const at = lastActiveAt === undefined ? {} : { lastActiveAt: Date.parse(lastActiveAt) };
        const isNew = await dormouse.enrol(id, { ...rest, ...at });
        return reply.code(isNew ? 201 : 200).send({ started: isNew });
      },
    );
    server.post(
      `${base}/hold`,
      {
        config: change('holds:place'),
        schema: { ...describe('Stop all rungs and mails until a time', bodies.hold), response: held },
        preHandler: async ({ body: { until, kind } }) => {
          const asked = { until: Date.parse(until), ...given({ kind }) };
          refuse(holdProblem(asked, 0, Date.now()));
        },
      },
      async (request, reply) => {
        const { until, ...rest } = given(request.body);
        const decision = { ...rest, actor: namedActor(request, reply), until: Date.parse(until) };
        return sendHeld(reply, await dormouse.hold(request.params.id, decision));
      },
    );
    server.post(
      `${base}/release`,
      {
        config: change('holds:place'),
        schema: { ...describe('End a hold early', bodies.release), response: held },
      },
      async (request, reply) => {
        const decision = { ...given(request.body), actor: namedActor(request, reply) };
        return sendHeld(reply, await dormouse.release(request.params.id, decision));
      },
    );
    server.post(
      `${base}/reactivate`,
      {
        config: change('identities:operate'),
        schema: describe('Bring back a deactivated identity', bodies.reactivate),
      },
      (request, reply) =>
        dormouse.reactivate(request.params.id, { ...given(request.body), actor: namedActor(request, reply) }),
    );
    server.post(
      `${base}/apply-policy`,
      {
        config: change('identities:operate'),
        schema: describe('Follow another policy', bodies['apply-policy']),
      },
      (request, reply) =>
        dormouse.applyPolicy(request.params.id, {
          ...given(request.body),
          actor: namedActor(request, reply),
        }),
    );
    server.post(
      `${base}/retry-parked`,
      {
        config: change('identities:operate'),
        schema: describe('Try a parked step again', bodies['retry-parked']),
      },
      (request, reply) =>
        dormouse.retryParked(request.params.id, {
          ...given(request.body),
          actor: namedActor(request, reply),
        }),
    );
    server.post(
      `${base}/skip-parked`,
      {
        config: change('identities:operate'),
        schema: describe('Decide that a parked step is not to be done', bodies['skip-parked']),
      },
      (request, reply) =>
        dormouse.skipParked(request.params.id, { ...given(request.body), actor: namedActor(request, reply) }),
    );
    exemptionRoutes(plain, dormouse, base);
  };
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new InvalidRequestError(problem);
}

function refuseReview(reviewAt: string): void {
  const problem = reviewProblem(Date.parse(reviewAt), Date.now());
  refuse(problem && `reviewAt: ${problem}`);
}

const sendHeld = (reply: FastifyReply, answer: HoldAnswer) =>
  reply.code(answer.stage === 'none' ? 202 : 200).send(answer);

function exemptionRoutes(plain: FastifyInstance, dormouse: Dormouse, base: string): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const described = <Body extends z.ZodType>(summary: string, body: Body) => ({
    config: change('exemptions:decide'),
    schema: { ...describe(summary, body), response: exemption },
  });
  server.post(
    `${base}/exempt`,
    {
      ...described('The ladder does not apply, until that is ended', bodies.exempt),
      preHandler: async ({ body }) => refuseReview(body.reviewAt),
    },
    (request, reply) => {
      const { reviewAt, ...rest } = given(request.body);
      // guard: principals: the actor is the credential
      const decision = { ...rest, actor: namedActor(request, reply), reviewAt: Date.parse(reviewAt) };
      return dormouse.exempt(request.params.id, decision);
    },
  );
  server.post(
    `${base}/review-exemption`,
    {
      ...described('An exemption is still right, until the next review', bodies['review-exemption']),
      preHandler: async ({ body }) => refuseReview(body.reviewAt),
    },
    (request, reply) => {
      const { reviewAt, ...rest } = given(request.body);
      const decision = { ...rest, actor: namedActor(request, reply), reviewAt: Date.parse(reviewAt) };
      return dormouse.reviewExemption(request.params.id, decision);
    },
  );
  server.post(
    `${base}/end-exemption`,
    described('The ladder applies again', bodies['end-exemption']),
    (request, reply) =>
      dormouse.endExemption(request.params.id, { ...given(request.body), actor: namedActor(request, reply) }),
  );
}
