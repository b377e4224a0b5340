/**
 * `/v1/…/personal-tokens…`: personal access tokens, for operators. Whoever makes or rotates one holds a credential of somebody else, so
 * both take the scope for credentials. A revocation only takes something away, as an operator does who finds a token that leaked.
 */

import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { parseDuration } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { parseIdentityId } from '../../domain/identity-id.js';
import { tokenEnds } from '../../domain/tokens/personal-verdict.js';
import { scoped } from '../../http/access.js';
import { namedActor } from '../../http/actor.js';
import { change } from '../../http/dry-run.js';
import { oneLine } from '../../http/free-text.js';
import { checkedReason, reasonText } from '../../http/reason.js';
import { answers, identityParameters, inputTime, outputTime } from '../../http/schemas.js';
import { checkedPolicyId } from '../../policies/id-parameter.js';
import { refused } from '../../policies/routes.js';
import { policyText, policyTextBodyLimit } from '../../policies/text-body.js';
import { databaseNow } from '../../postgres/database-now.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import { prepareCreation, prepareRevocation, prepareRotation } from './decisions.js';
import { dueTokens, listTokens } from './listed.js';
import { publishedSection, sectionOfText } from './section.js';

const security = [{ serviceToken: [] }];
const pageRows = 1_000;
const tokenParameters = z.object({ tokenId: z.string().describe('as the list of an identity has it') });
const policyId = z.string().optional().describe('a published policy; left out: the one of the installation');

const listed = z.object({
  tokenId: z.string(),
  identityId: z.string(),
  type: z.string(),
  name: z.string().describe('as the person wrote it'),
  scopes: z.array(z.string()).readonly(),
  state: z.enum(['live', ...tokenEnds, 'owner']).describe('owner: refused because of where its owner stands'),
  createdAt: outputTime(),
  lastUsedAt: outputTime('absent: it was never used').exactOptional(),
  expiresAt: outputTime('absent: it does not expire').exactOptional(),
  endedAt: outputTime().exactOptional(),
  inactiveMs: z
    .number()
    .nullable()
    .exactOptional()
    .describe('null: never ends unused; absent: its policy is of an app, or has no section for tokens'),
  policyId: z.string().exactOptional().describe('absent: of an app'),
  rotatedFrom: z.string().exactOptional(),
});
export const tokensAnswer = z.object({ tokens: z.array(listed) });
export const madeAnswer = z.object({
  tokenId: z.string(),
  token: z.string().describe('shown this once, and kept nowhere'),
});
export const revokedAnswer = z.object({
  tokenId: z.string(),
  revoked: z.boolean().describe('false: it had ended before'),
});
export const dueAnswer = z.object({
  tokens: z.array(
    z.object({
      tokenId: z.string(),
      identityId: z.string(),
      type: z.string(),
      why: z.enum(['inactive', 'expired']),
      rule: z.string().exactOptional(),
      endsAt: outputTime(),
    }),
  ),
  next: z.string().exactOptional().describe('where the next page begins; absent at the end'),
});

const creation = z.strictObject({
  name: z.string().describe('what it is for'),
  policyId,
  type: z.string().optional().describe('a type of the policy'),
  scopes: z.array(z.string()).default([]),
  roles: z
    .array(oneLine(200))
    .max(100)
    .default([])
    .describe("roles of the identity, for the policy's ceilings"),
  expiresAt: inputTime.optional().describe('left out: the latest that the policy allows'),
});
const asked = z.strictObject({
  within: z.string().describe('as 30d'),
  policyId,
  text: policyText
    .optional()
    .describe('of a policy file with the same id, in place of the published version'),
  file: oneLine(200).default('policy').describe('its name, for messages'),
  after: z.guid().optional().describe('what the answer before gave as "next"'),
});

/**
 * @param pool Dormouse's database
 * @param followed the policy that is meant where a request names none
 */
export function personalTokenRoutes(pool: pg.Pool, followed: string): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/identities/:id/personal-tokens',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'The personal access tokens of an identity, the newest first; never the tokens themselves',
          security,
          params: identityParameters,
          querystring: z.strictObject({
            ended: z.enum(['true', 'false']).default('false').describe('also those that ended'),
          }),
          response: answers({ 200: tokensAnswer }),
        },
      },
      async ({ params: { id }, query: { ended } }) => ({
        tokens: await listTokens(pool, parseIdentityId(id), { ended: ended === 'true' }),
      }),
    );
    server.post(
      '/v1/personal-tokens/due',
      {
        config: scoped('policy:read'),
        bodyLimit: policyTextBodyLimit,
        schema: {
          summary: `Tokens that end within a time if nobody uses them, ${pageRows} a page. Changes nothing`,
          security,
          body: asked,
          response: answers({ 200: dueAnswer }),
        },
      },
      async ({ body: { within, text, file, after, policyId: named = followed } }) => {
        const ahead = parseDuration(within);
        if (ahead === undefined) throw new InvalidRequestError('within: is not a duration. Write it as 30d');
        const id = checkedPolicyId('policyId', named);
        const personal =
          text === undefined
            ? await publishedSection(pool, id)
            : await refused((async () => sectionOfText(id, text, file))());
        const by = (await databaseNow(pool)) + ahead;
        const { tokens, ...rest } = await dueTokens(pool, id, personal, { by, after, rows: pageRows });
        const shown = tokens.map(({ token: { tokenId, type }, identityId, why, rule, endedAt }) => ({
          ...{ tokenId, identityId, type, why, endsAt: endedAt },
          ...given({ rule }),
        }));
        return { tokens: shown, ...rest };
      },
    );
    changingRoutes(plain, pool, followed);
  };
}

/** Each dry run finds out what it can without making a token. */
function changingRoutes(plain: FastifyInstance, pool: pg.Pool, followed: string): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const prepare = (id: string, body: z.output<typeof creation>) => {
    const { policyId: named = followed, expiresAt, ...rest } = body;
    const at = expiresAt === undefined ? undefined : Date.parse(expiresAt);
    return prepareCreation(pool, {
      ...{ ...given(rest), identityId: parseIdentityId(id), policyId: named },
      ...given({ expiresAt: at }),
    });
  };
  server.post(
    '/v1/identities/:id/personal-tokens',
    {
      config: change('credentials:manage'),
      schema: {
        summary: 'Make a personal access token for an identity',
        security,
        params: identityParameters,
        body: creation,
        response: answers({ 200: madeAnswer }),
      },
      preHandler: async ({ params: { id }, body }) => void (await prepare(id, body)),
    },
    async (request, reply) => {
      const create = await prepare(request.params.id, request.body);
      return create(namedActor(request, reply));
    },
  );
  server.post(
    '/v1/personal-tokens/:tokenId/rotate',
    {
      config: change('credentials:manage'),
      schema: {
        summary: 'End a personal access token, and make another one that takes its place',
        security,
        params: tokenParameters,
        body: z.strictObject({}).nullish(),
        response: answers({ 200: madeAnswer }),
      },
      preHandler: async ({ params: { tokenId } }) => void (await prepareRotation(pool, tokenId)),
    },
    async (request, reply) => {
      const rotate = await prepareRotation(pool, request.params.tokenId);
      return rotate(namedActor(request, reply));
    },
  );
  server.post(
    '/v1/personal-tokens/:tokenId/revoke',
    {
      config: change('identities:operate'),
      schema: {
        summary: 'End a personal access token',
        security,
        params: tokenParameters,
        body: z.strictObject({ reason: reasonText }),
        response: answers({ 200: revokedAnswer }),
      },
      preHandler: async ({ params: { tokenId } }) => void (await prepareRevocation(pool, tokenId)),
    },
    async (request, reply) => {
      const reason = checkedReason(request.body.reason);
      const revoke = await prepareRevocation(pool, request.params.tokenId);
      return revoke(namedActor(request, reply), reason);
    },
  );
}
