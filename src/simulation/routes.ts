/** `POST /v1/policies/simulations`: years of a policy with the people who follow it, their activity drawn from their own history. */

import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { scoped } from '../http/access.js';
import { oneLine } from '../http/free-text.js';
import { answers } from '../http/schemas.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { refused } from '../policies/routes.js';
import { policyText, policyTextBodyLimit } from '../policies/text-body.js';
import { parsePolicyFile } from '../policies/yaml.js';
import { oneAtATime } from '../preview/one-at-a-time.js';
import type { PeopleDependencies } from '../preview/people.js';
import { unlessUnderWay } from '../preview/routes.js';
import { liveCast } from './casts.js';
import { highestSeed, mostDays } from './limits.js';
import { simulationPage } from './page.js';
import { simulate } from './run.js';
import { simulationCsv, simulationJson, simulationTable } from './table.js';

const body = z.strictObject({
  text: policyText.describe('of the policy file'),
  file: oneLine(200).default('policy').describe('its name, for messages'),
  policyId: z.string().optional().describe('the people who follow this policy; left out: the id in the text'),
  days: z.int().min(1).max(mostDays).default(730).describe('how far to look ahead'),
  seed: z.int().min(0).max(highestSeed).default(1).describe('the same seed, the same figures'),
  noticeResponse: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('percent of the notices that bring somebody back within seven days'),
  with: z.enum(['nothing', 'days', 'page']).default('nothing').describe('days: CSV; page: HTML with plots'),
});

export const simulationAnswer = z.object({
  simulation: z.looseObject({ people: z.number() }).describe('numbers of people by day; nobody is named'),
  lines: z.array(z.string()).describe('the same for people'),
  days: z.string().exactOptional().describe('one line for each day, as CSV'),
  page: z.string().exactOptional().describe('one HTML page that needs nothing else'),
});

export function simulationRoutes(deps: PeopleDependencies): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().post(
      '/v1/policies/simulations',
      {
        config: scoped('policy:read'),
        bodyLimit: policyTextBodyLimit,
        schema: {
          summary: 'What a policy would do over years to those who follow it, if they go on as they did',
          security: [{ serviceToken: [] }],
          body,
          response: answers({ 200: simulationAnswer }),
        },
      },
      ({ body: asked }, reply) =>
        unlessUnderWay(reply, () => oneAtATime(() => refused(simulateLive(deps, asked)))),
    );
  };
}

async function simulateLive(
  deps: PeopleDependencies,
  { text, file, policyId, days, seed, noticeResponse, with: also }: z.output<typeof body>,
): Promise<z.output<typeof simulationAnswer>> {
  const policy = parsePolicyFile(text, file);
  const settings = { days, seed, response: noticeResponse / 100, from: Date.now() };
  const request = { ...settings, name: file, policy };
  const cast = await liveCast(deps, checkedPolicyId('policyId', policyId ?? policy.id), request);
  const simulated = await simulate(request, cast);
  const json = simulationJson(simulated) as { people: number };
  return {
    simulation: { ...json },
    lines: simulationTable(simulated),
    ...(also === 'days' && { days: [...simulationCsv(simulated)].join('') }),
    ...(also === 'page' && { page: simulationPage(simulated) }),
  };
}
