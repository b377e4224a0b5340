/** `/v1/policies…`: the published policies, their text, publications and rollbacks. Previews and roll-outs have files of their own. */

import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { highestVersion } from '../domain/names.js';
import { scoped } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { change, isDryRun } from '../http/dry-run.js';
import { oneLine } from '../http/free-text.js';
import { checkedReason, reasonText } from '../http/reason.js';
import { answers, outputTime } from '../http/schemas.js';
import { PreviewOutdatedError } from '../preview/binding.js';
import type { PeopleDependencies } from '../preview/people.js';
import { UnknownPreviewError } from '../preview/previews-table.js';
import { preparePublication, prepareRollback } from '../preview/publishing.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { checkedPolicyId } from './id-parameter.js';
import {
  AlteredPolicyError,
  isIntact,
  latestVersion,
  listPolicies,
  policyHash,
  readPolicyRow,
  UnknownPolicyError,
} from './policies-table.js';
import { PolicyMovedError, type Publication } from './publication.js';
import { policyText, policyTextBodyLimit } from './text-body.js';
import { PolicyFileError, parsePolicyToPublish } from './yaml.js';

const security = [{ serviceToken: [] }];
const version = z.int().min(1).max(highestVersion);
const params = z.object({ id: z.string().describe('of a policy') });

export const policiesAnswer = z.object({
  followed: z.string().describe('the policy that identities follow unless told otherwise'),
  policies: z.array(
    z.object({
      id: z.string(),
      version: z.number(),
      hash: z.string(),
      publishedAt: outputTime(),
      isLatest: z.boolean(),
      isIntact: z
        .boolean()
        .describe('false: its text is not the one that was published, and nothing acts by it'),
    }),
  ),
});
export const policyAnswer = z.object({
  id: z.string(),
  version: z.number(),
  hash: z.string(),
  isIntact: z.boolean(),
  text: z.string(),
});
export const publicationAnswer = z.object({
  id: z.string(),
  version: z.number(),
  hash: z.string(),
  isNew: z.boolean().describe('false: this text was in force already, and nothing was published'),
});

/** What the decision on a version rests on. */
const basis = {
  preview: z.string().max(100).optional().describe('the hash of the preview that the decision rests on'),
  withoutPreview: z.string().optional().describe('why it is published without one'),
  toleratedPercent: z.number().min(0).max(100).default(1),
  expected: z
    .int()
    .min(0)
    .max(highestVersion)
    .optional()
    .describe('the latest version that the decision rests on'),
};
const publishing = z.strictObject({
  text: policyText.describe('of the policy file'),
  file: oneLine(200).default('policy').describe('its name, for messages'),
  reason: reasonText,
  ...basis,
});
const rollback = z.strictObject({
  toVersion: version.describe('the earlier version'),
  reason: reasonText,
  ...basis,
});

export function policyRoutes(deps: PeopleDependencies, followed: string): FastifyPluginAsync {
  const { pool } = deps;
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/policies',
      {
        config: scoped('policy:read'),
        schema: {
          summary: 'Every version of every policy',
          security,
          response: answers({ 200: policiesAnswer }),
        },
      },
      async () => ({ followed, policies: await listPolicies(pool) }),
    );
    server.get(
      '/v1/policies/:id',
      {
        config: scoped('policy:read'),
        schema: {
          summary: 'The text of a policy as it was published',
          security,
          params,
          querystring: z.strictObject({
            version: z.coerce.number().pipe(version).optional().describe('left out: the latest'),
          }),
          response: answers({ 200: policyAnswer }),
        },
      },
      async ({ params: { id }, query }) => {
        const row = await refused(readPolicyRow(pool, checkedPolicyId('id', id), query.version));
        return {
          id: row.id,
          version: row.version,
          hash: row.hash,
          isIntact: isIntact(row),
          text: row.source,
        };
      },
    );
    changingRoutes(plain, deps);
  };
}

function changingRoutes(plain: FastifyInstance, deps: PeopleDependencies): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const { pool } = deps;
  server.post(
    '/v1/policies',
    {
      config: change('policy:publish', 'own'),
      bodyLimit: policyTextBodyLimit,
      schema: {
        summary:
          'Publish a policy as its next version. A dry run checks text and preview, and publishes nothing',
        security,
        body: publishing,
        response: answers({ 200: publicationAnswer }),
      },
    },
    async (request, reply) => {
      const { reason, ...rest } = given(request.body);
      const wanted = {
        ...rest,
        reason: checkedReason(reason),
        actor: namedActor(request, reply),
        now: Date.now(),
      };
      const publish = await refused(preparePublication(deps, wanted));
      if (!isDryRun(request)) return answerOf(await refused(publish()));
      const { id } = parsePolicyToPublish(rest.text, rest.file);
      const next = (await latestVersion(pool, id)) + 1;
      return { id, version: next, hash: policyHash(rest.text), isNew: true };
    },
  );
  server.post(
    '/v1/policies/:id/rollback',
    {
      config: change('policy:publish', 'own'),
      schema: {
        summary:
          'Publish the text of an earlier version as the next version. A dry run checks version and preview, and publishes nothing',
        security,
        params,
        body: rollback,
        response: answers({ 200: publicationAnswer }),
      },
    },
    async (request, reply) => {
      const id = checkedPolicyId('id', request.params.id);
      const { toVersion: to, reason, ...rest } = given(request.body);
      const wanted = {
        ...{ ...rest, id, to, reason: checkedReason(reason) },
        ...{ actor: namedActor(request, reply), now: Date.now() },
      };
      const rollBack = await refused(prepareRollback(deps, wanted));
      if (!isDryRun(request)) return answerOf(await refused(rollBack()));
      const { hash } = await refused(readPolicyRow(pool, id, to));
      return { id, version: (await latestVersion(pool, id)) + 1, hash, isNew: true };
    },
  );
}

const answerOf = ({ reference, isNew }: Publication) => ({ ...reference, isNew });

/** What the caller can mend is told them. */
export async function refused<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (isCallers(error)) throw new InvalidRequestError(error.message, { cause: error });
    throw error;
  }
}

function isCallers(error: unknown): error is Error {
  return [
    UnknownPolicyError,
    AlteredPolicyError,
    PolicyMovedError,
    PolicyFileError,
    UnknownPreviewError,
    PreviewOutdatedError,
  ].some((kind) => error instanceof kind);
}
