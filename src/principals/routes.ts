/** `/v1/me`, `/v1/sign-in` and `/v1/credentials…`: who calls, where operators sign in, and the named credentials. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { InvalidRequestError } from '../client.js';
import { networks } from '../config/forms.js';
import { parseDuration } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { grantProblem } from '../domain/principals/granting.js';
import type { Principal } from '../domain/principals/principal.js';
import { open, principalOf, scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change, isDryRun } from '../http/dry-run.js';
import { checkedReason, reasonText } from '../http/reason.js';
import { answers, inputTime, outputTime } from '../http/schemas.js';
import { databaseNow } from '../postgres/database-now.js';
import { readCredentials, readNewestCredential, revokeCredential } from './credentials-table.js';
import {
  assertLive,
  CredentialRefusedError,
  createCredential,
  rotateCredential,
  tryCreation,
  tryRotation,
} from './issue.js';
import type { OperatorsIssuer } from './operators-file.js';

const security = [{ serviceToken: [] }];

const me = z.object({
  actor: z.string().describe('as the audit log names it'),
  owner: z.string().describe('two credentials of one owner count as one operator'),
  scopes: z.array(z.string()).readonly(),
});

const issuers = z.object({
  issuers: z.array(
    z.object({
      alias: z.string(),
      issuer: z.string(),
      audience: z.string().describe('what a token has to be for'),
      clients: z.array(z.string()).describe('whose tokens are taken'),
    }),
  ),
});

/** @param operatorsIssuers where operators sign in */
export function meRoutes(operatorsIssuers: readonly OperatorsIssuer[]): FastifyPluginAsync {
  const known = operatorsIssuers.map(({ alias, issuer, audience, clients }) => ({
    ...{ alias, issuer, audience, clients },
  }));
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/me',
      {
        config: scoped('api:read'),
        schema: { summary: 'Who calls, and what they may do', security, response: answers({ 200: me }) },
      },
      (request) => principalOf(request),
    );
    server.get(
      '/v1/sign-in',
      {
        config: open('operators who are not signed in yet ask where to', 'operators'),
        schema: { summary: 'Where operators sign in by OIDC', response: { 200: issuers } },
      },
      () => ({ issuers: known }),
    );
  };
}

const credential = z.object({
  credentialId: z.string(),
  name: z.string(),
  owner: z.string(),
  scopes: z.array(z.string()).readonly(),
  networks: z.array(z.string()).readonly().describe('empty: taken from anywhere'),
  createdAt: outputTime(),
  lastUsedAt: outputTime().exactOptional(),
  endsAt: outputTime('absent: it has no end').exactOptional(),
  endsWhy: z.enum(['expired', 'rotated', 'revoked']).exactOptional(),
});
export const secretAnswer = z.object({
  name: z.string(),
  secret: z.string().describe('shown this once, and kept nowhere'),
});
export const credentialsAnswer = z.object({ credentials: z.array(credential) });
const params = z.object({ name: z.string() });

const bodies = {
  create: z.strictObject({
    name: z.string(),
    owner: z.string().optional().describe('who answers for it; left out: the caller'),
    scopes: z.array(z.string()),
    networks: z.array(z.string()).max(50).default([]).describe('CIDR; empty: taken from anywhere'),
    expiresAt: inputTime.optional(),
  }),
  rotate: z.strictObject({
    overlap: z.string().default('1d').describe('how long the earlier secret stays good, as 1d'),
    expiresAt: inputTime
      .optional()
      .describe('of the new secret; left out: it lives as long as the earlier one'),
  }),
  revoke: z.strictObject({ reason: reasonText }),
};

/** @param pool Dormouse's database */
export function credentialRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().get(
      '/v1/credentials',
      {
        config: scoped('credentials:manage'),
        schema: {
          summary: 'All credentials, never their secrets',
          security,
          querystring: z.strictObject({
            ended: z.enum(['true', 'false']).default('false').describe('also those that ended'),
          }),
          response: answers({ 200: credentialsAnswer }),
        },
      },
      async ({ query: { ended } }) => ({
        credentials: await readCredentials(pool, { ended: ended === 'true' }),
      }),
    );
    changingRoutes(plain, pool);
  };
}

/** Each dry run finds out what it can without making a secret. */
function changingRoutes(plain: FastifyInstance, pool: pg.Pool): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const described = <Body extends z.ZodType>(summary: string, body: Body) => ({ summary, security, body });
  server.post(
    '/v1/credentials',
    {
      config: change('credentials:manage'),
      schema: { ...described('Make a credential', bodies.create), response: answers({ 200: secretAnswer }) },
      preHandler: async (request) => {
        const wanted = wantedCredential(request);
        refuseGrant(principalOf(request), wanted);
        if (isDryRun(request)) await told(tryCreation(pool, wanted));
      },
    },
    (request, reply) => {
      const wanted = wantedCredential(request);
      return shown(wanted.name, createCredential(pool, { ...wanted, actor: namedActor(request, reply) }));
    },
  );
  server.post(
    '/v1/credentials/:name/rotate',
    {
      config: change('credentials:manage'),
      schema: {
        ...described('Make another secret', bodies.rotate),
        params,
        response: answers({ 200: secretAnswer }),
      },
      preHandler: async (request) => {
        const known = await readNewestCredential(pool, request.params.name);
        // Also because it may be made in this moment, for somebody else.
        if (known === undefined) throw new InvalidRequestError(noneLive);
        // A new secret of somebody else's credential would be theirs in the caller's hands.
        refuseGrant(principalOf(request), known);
        if (isDryRun(request)) await told(tryRotation(pool, wantedRotation(request)));
      },
    },
    (request, reply) => {
      const wanted = wantedRotation(request);
      return shown(wanted.name, rotateCredential(pool, { ...wanted, actor: namedActor(request, reply) }));
    },
  );
  server.post(
    '/v1/credentials/:name/revoke',
    {
      config: change('credentials:manage'),
      schema: {
        ...described('End every secret of a credential', bodies.revoke),
        params,
        response: answers({ 200: z.object({ name: z.string() }) }),
      },
      preHandler: async (request) => {
        if (isDryRun(request)) await told(assertLive(pool, request.params.name));
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const reason = checkedReason(request.body.reason);
      const decision = { name, actor: namedActor(request, reply), reason };
      if (await revokeCredential(pool, decision, await databaseNow(pool))) return { name };
      throw new InvalidRequestError(noneLive);
    },
  );
}

const noneLive = 'name: no live credential has it. See: dormouse credentials list --ended';

function refuseGrant(giver: Principal, wanted: { owner: string; scopes: readonly string[] }): void {
  const problem = grantProblem(giver, wanted);
  if (problem !== undefined) throw new InvalidRequestError(problem);
}

function wantedCredential(request: FastifyRequest & { readonly body: z.output<typeof bodies.create> }) {
  const { name, expiresAt, networks: from, ...rest } = given(request.body);
  const { owner } = principalOf(request);
  return { owner, ...rest, name, networks: from.flatMap(checkedNetworks), ...timeOf(expiresAt) };
}

function wantedRotation({
  params: { name },
  body: { overlap, expiresAt },
}: {
  readonly params: z.output<typeof params>;
  readonly body: z.output<typeof bodies.rotate>;
}) {
  const overlapMs = parseDuration(overlap);
  if (overlapMs === undefined) throw new InvalidRequestError('overlap: is not a duration. Write it as 1d');
  return { name, overlapMs, ...timeOf(expiresAt) };
}

function checkedNetworks(text: string): string[] {
  const parsed = networks.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidRequestError(`networks: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}

const timeOf = (text: string | undefined) => (text === undefined ? {} : { expiresAt: Date.parse(text) });

/** @throws InvalidRequestError where nothing was changed, with the way out */
async function shown(name: string, made: Promise<string>): Promise<z.output<typeof secretAnswer>> {
  return { name, secret: await told(made) };
}

async function told<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CredentialRefusedError)
      throw new InvalidRequestError(error.message, { cause: error });
    throw error;
  }
}
