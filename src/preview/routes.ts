/** `POST /v1/policies/previews`: a policy against the people who follow it, before anything is saved. */

import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { scoped } from '../http/access.js';
import { oneLine } from '../http/free-text.js';
import { answers, type problem } from '../http/schemas.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { refused } from '../policies/routes.js';
import { policyText, policyTextBodyLimit } from '../policies/text-body.js';
import { parsePolicyFile } from '../policies/yaml.js';
import { csvHeader, csvOf } from './csv.js';
import { runAndKeepPreview } from './keep.js';
import { PreviewUnderWayError } from './one-at-a-time.js';
import { previewPage } from './page.js';
import type { PeopleDependencies } from './people.js';
import { previewJson, previewTable } from './table.js';

const body = z.strictObject({
  text: policyText.describe('of the policy file'),
  file: oneLine(200).default('policy').describe('its name, for messages'),
  policyId: z.string().optional().describe('the people who follow this policy; left out: the id in the text'),
  with: z
    .enum(['nothing', 'people', 'page'])
    .default('nothing')
    .describe('people: CSV; page: HTML with plots'),
});

export const previewAnswer = z.object({
  preview: z.looseObject({ preview: z.string().describe('its hash, for a publication that rests on it') }),
  lines: z.array(z.string()).describe('the same for people'),
  people: z.string().exactOptional().describe('one line for each person, as CSV'),
  page: z.string().exactOptional().describe('one HTML page that needs nothing else'),
});

/** One at a time in each gateway: it reads everybody. */
export function previewRoutes(deps: PeopleDependencies): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().post(
      '/v1/policies/previews',
      {
        config: scoped('policy:read'),
        bodyLimit: policyTextBodyLimit,
        schema: {
          summary: 'What a policy would do to whom, compared with the version in force; its answer is kept',
          security: [{ serviceToken: [] }],
          body,
          response: answers({ 200: previewAnswer }),
        },
      },
      ({ body: asked }, reply) => unlessUnderWay(reply, () => refused(preview(deps, asked))),
    );
  };
}

/** Whoever comes while another preview or simulation runs is told when to come back. */
export async function unlessUnderWay<T>(
  reply: FastifyReply,
  work: () => Promise<T>,
): Promise<T | z.output<typeof problem>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PreviewUnderWayError)) throw error;
    reply.code(503).header('retry-after', '15');
    return { error: 'busy', message: error.message };
  }
}

async function preview(
  deps: PeopleDependencies,
  { text, file, policyId, with: also }: z.output<typeof body>,
): Promise<z.output<typeof previewAnswer>> {
  const policy = parsePolicyFile(text, file);
  const people: string[] = [csvHeader];
  const { preview: done, worst } = await runAndKeepPreview(deps, {
    ...{ policy, text, now: Date.now() },
    policyId: checkedPolicyId('policyId', policyId ?? policy.id),
    onPerson: (person) => {
      if (also === 'people') people.push(csvOf(person));
    },
  });
  const json = previewJson(done) as { preview: string };
  return {
    preview: { ...json },
    lines: previewTable(done),
    ...(also === 'people' && { people: people.join('') }),
    ...(also === 'page' && { page: previewPage(done, worst) }),
  };
}
