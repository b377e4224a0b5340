/**
 * The token service of `RefreshTokens` over HTTP, for apps in other languages. The app makes its access token from the answer of an exchange,
 * with `issuedAt` in it, so that checkers refuse by `revoked-before` what a revocation overtook.
 */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DormouseUnavailableError, InvalidIdentityIdError, InvalidRequestError } from '../../client.js';
import { given } from '../../domain/given.js';
import { scoped } from '../../http/access.js';
import { answers, identityParameters, inputTime, outputTime, problem } from '../../http/schemas.js';
import type { RefreshRequest } from '../../middleware/refresh-tokens/options.js';
import type { RefreshTokens } from '../../middleware/refresh-tokens/refresh-tokens.js';
import { parseAddress } from '../refresh/client-address.js';

/** Limit of a request's body, bytes. */
const bodyLimit = 4_096;

const origin = z.strictObject({
  address: z
    .string()
    .max(60)
    .refine((text) => parseAddress(text) !== undefined, { error: 'is no IPv4 or IPv6 address' })
    .optional()
    .describe('of the person, as the app sees it behind its own proxies; left out: unknown'),
  userAgent: z.string().max(1_000).optional().describe('of the person; kept to 400 characters'),
});
const presented = origin.extend({
  refreshToken: z.string().max(200).describe('as the person presents it'),
});
const bodies = {
  start: origin.extend({
    identityId: z.string().describe('UUID of the Kratos identity that has just signed in'),
    clientId: z.string().describe('the app or device: a short name, never an e-mail address'),
    deviceName: z.string().optional().describe('as the person calls the device; at most 100 characters'),
    authenticatedAt: inputTime.optional().describe('when the person signed in; left out: now'),
  }),
  exchange: presented,
  signOut: presented.pick({ refreshToken: true }),
  revoke: z
    .strictObject({ keep: z.uuid().optional().describe('the family that stays; left out: none') })
    .nullish(),
  passwordReset: z
    .strictObject({ personWants: z.enum(['revoke', 'keep']).optional().describe('for a policy that asks') })
    .nullish(),
};

const refusal = <Why extends readonly [string, ...string[]]>(why: Why) =>
  z.object({ granted: z.literal(false), why: z.enum(why) });
const started = z.union([
  z.object({
    granted: z.literal(true),
    familyId: z.string(),
    refreshToken: z.string(),
    revoked: z.number().describe('stale families of the person that the sign-in ended'),
  }),
  refusal(['account']),
]);
const exchanged = z.union([
  z.object({
    granted: z.literal(true),
    refreshToken: z.string().describe('the one that is valid from now on'),
    identityId: z.string(),
    familyId: z.string(),
    clientId: z.string(),
    signedInAt: outputTime(),
    issuedAt: outputTime('to be put into the access token, as iat in seconds'),
  }),
  refusal(['unknown', 'ended', 'reuse', 'unclear', 'stale', 'account']).describe(
    'answer the person 401, whatever the reason',
  ),
]);
const families = z.object({
  families: z.array(
    z.object({
      id: z.string(),
      clientId: z.string(),
      deviceName: z.string().exactOptional(),
      userAgent: z.string().exactOptional(),
      firstAddress: z.string().exactOptional(),
      lastAddress: z.string().exactOptional(),
      createdAt: outputTime(),
      lastUsedAt: outputTime().exactOptional(),
      ended: z.object({ at: outputTime(), why: z.string() }).readonly().exactOptional(),
    }),
  ),
});
const ended = z.object({ ended: z.number().describe('how many families') });
const nothing = z.null().describe('Nothing');
const security = [{ serviceToken: [] }];

/** Each route has a scope of its own. */
export function refreshTokenServiceRoutes(tokens: RefreshTokens): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    const base = '/v1/refresh-tokens';
    const own = '/v1/identities/:id/refresh-tokens';
    const params = identityParameters;

    server.post(
      base,
      {
        config: scoped('tokens:serve'),
        bodyLimit,
        schema: {
          summary: 'Start a family of refresh tokens, after a sign-in',
          description: 'Ends the families of the person that are stale by then.',
          ...{ security, body: bodies.start, response: answers({ 200: started }) },
        },
      },
      async (request) => {
        const { identityId, clientId, deviceName, authenticatedAt, ...seen } = request.body;
        const signedInAt = authenticatedAt === undefined ? undefined : Date.parse(authenticatedAt);
        return answer(request, () =>
          tokens.issue({
            ...{ identityId, clientId, request: requestOf(seen) },
            ...given({ deviceName, authenticatedAt: signedInAt }),
          }),
        );
      },
    );
    server.post(
      `${base}/exchange`,
      {
        config: scoped('tokens:serve'),
        bodyLimit,
        schema: {
          summary: 'Exchange a refresh token for its successor',
          description:
            'One line of tokens, however many ask at once: after a lost answer, ask again within the grace. A reuse after it ends the family.',
          ...{ security, body: bodies.exchange, response: answers({ 200: exchanged }) },
        },
      },
      async (request) => {
        const { refreshToken, ...seen } = request.body;
        const outcome = await answer(request, () =>
          tokens.exchange(refreshToken, requestOf(seen), (facts) => facts),
        );
        if (!outcome.granted) return outcome;
        return { granted: true as const, ...outcome.minted, refreshToken: outcome.refreshToken };
      },
    );
    server.post(
      `${base}/sign-out`,
      {
        config: scoped('tokens:serve'),
        bodyLimit,
        schema: {
          summary: 'End the family of a refresh token',
          description: 'The same answer for a token that is not valid, which ends nothing.',
          ...{ security, body: bodies.signOut, response: answers({ 204: nothing }) },
        },
      },
      async (request, reply) => {
        await answer(request, () => tokens.signOut(request.body.refreshToken));
        return reply.code(204).send(null);
      },
    );
    server.get(
      own,
      {
        config: scoped('tokens:serve'),
        schema: {
          summary: 'The families of a person: live ones, and those that ended lately',
          ...{ security, params, response: answers({ 200: families }) },
        },
      },
      async (request) => ({ families: await answer(request, () => tokens.list(request.params.id)) }),
    );
    server.delete(
      `${own}/:familyId`,
      {
        config: scoped('tokens:serve'),
        schema: {
          summary: 'End one family of a person',
          ...{ security, params: params.extend({ familyId: z.uuid() }) },
          response: { ...answers({ 204: nothing }), 404: problem.describe('The person has no live one') },
        },
      },
      async (request, reply) => {
        const { id, familyId } = request.params;
        if (await answer(request, () => tokens.revoke(id, familyId))) return reply.code(204).send(null);
        const message = 'The person has no live family of this id.';
        return reply.code(404).send({ error: 'not_found', message });
      },
    );
    server.post(
      `${own}/revoke`,
      {
        config: scoped('tokens:serve'),
        bodyLimit,
        schema: {
          summary: 'End all families of a person, or all but one',
          ...{ security, params, body: bodies.revoke, response: answers({ 200: ended }) },
        },
      },
      async (request) => {
        const { id } = request.params;
        const keep = request.body?.keep;
        return {
          ended: await answer(request, () =>
            keep === undefined ? tokens.revokeAll(id) : tokens.revokeOthers(id, keep),
          ),
        };
      },
    );
    server.post(
      `${own}/password-reset`,
      {
        config: scoped('tokens:serve'),
        bodyLimit,
        schema: {
          summary: 'Tell that the password of a person was reset',
          ...{ security, params, body: bodies.passwordReset, response: answers({ 200: ended }) },
        },
      },
      async (request) => {
        const { id } = request.params;
        const wants = request.body?.personWants;
        return { ended: await answer(request, () => tokens.passwordReset(id, wants)) };
      },
    );
  };
}

/** The app has found out whose address it is: no header of its own request counts. */
function requestOf({ address, userAgent }: z.infer<typeof origin>): RefreshRequest {
  return { headers: given({ 'user-agent': userAgent }), socket: { remoteAddress: address } };
}

/** @throws DormouseUnavailableError for everything that is not the caller's mistake: nothing was decided */
async function answer<Result>(request: FastifyRequest, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidIdentityIdError || error instanceof InvalidRequestError) throw error;
    request.log.error({ err: error }, 'a request for refresh tokens could not be answered');
    throw new DormouseUnavailableError('PostgreSQL', { cause: error });
  }
}
