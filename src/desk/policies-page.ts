/** Policies: their versions, the text of one, and how its roll-out goes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { highestVersion, policyIdPattern } from '../domain/names.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { isIntact, listPolicies, readPolicyRow } from '../policies/policies-table.js';
import { isResumable, isUnderWay, queryRollout } from '../rollout/decisions.js';
import { readRollouts } from '../rollout/rollouts-table.js';
import type { DeskContext } from './context.js';
import { may, show } from './show.js';

export const policyParams = z.object({
  id: z.string().regex(policyIdPattern, 'is not the id of a policy, as "default"'),
});
const version = z.coerce.number().pipe(z.int().min(1).max(highestVersion));
const querystring = z.object({ version: version.optional(), done: z.string().optional() });

export function policyPages(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const config = scopedPage('policy:read', access);
  server.get('/desk/policies', { config, schema: { hide: true } }, async (request, reply) => {
    const policies = (await listPolicies(context.pool)).filter(({ isLatest }) => isLatest);
    const view = {
      policies: policies.map((policy) => ({
        ...policy,
        href: policyUrl(policy.id),
        isAltered: !policy.isIntact,
      })),
      preview: previewPath(context),
    };
    return show(context, request, reply, 'policies', { title: 'Policies', view });
  });
  server.get(
    '/desk/policies/:id',
    { config, schema: { hide: true, params: policyParams, querystring } },
    async (request, reply) => {
      const { id } = request.params;
      const view = await policyView(context, request, id, request.query.version);
      return show(context, request, reply, 'policy', { title: `Policy ${id}`, view });
    },
  );
}

export function policyUrl(id: string): string {
  return `/desk/policies/${id}`;
}

/** Empty where no previews are made. */
function previewPath({ identities }: DeskContext): string {
  return identities === undefined ? '' : '/desk/preview';
}

async function policyView(context: DeskContext, request: FastifyRequest, id: string, wanted?: number) {
  const { pool } = context;
  const [row, listed, rollouts] = await Promise.all([
    readPolicyRow(pool, id, wanted),
    listPolicies(pool),
    rolloutViews(context, request, id),
  ]);
  const versions = listed.filter((one) => one.id === id).reverse();
  const url = policyUrl(id);
  return {
    ...{ id, version: row.version, hash: row.hash, source: row.source, isAltered: !isIntact(row) },
    isLatest: row.version === versions[0]?.version,
    versions: versions.map((one) => ({
      ...{ version: one.version, publishedAt: one.publishedAt, isAltered: !one.isIntact },
      ...{ href: `${url}?version=${one.version}`, isCurrent: one.version === row.version },
    })),
    ...{ rollouts, preview: previewPath(context) },
  };
}

/** PostgreSQL has the state of each roll-out; the workflow of the one under way has the counts of this moment. */
async function rolloutViews(context: DeskContext, request: FastifyRequest, id: string) {
  const { pool, rollouts } = context;
  const rows = await readRollouts(pool, id);
  const [latest] = rows;
  const asked = latest !== undefined && isUnderWay(latest) && rollouts !== undefined;
  // Without Temporal the page shows what PostgreSQL has.
  const progress = asked ? await queryRollout(rollouts, id).catch(() => undefined) : undefined;
  const maySteer = rollouts !== undefined && may(request, 'policy:publish');
  return rows.map((row) => {
    const current = progress?.version === row.version ? progress : undefined;
    const { seen, earlier, woken, failed } = current?.counts ?? row;
    const isLatest = row.version === latest?.version;
    const path = (name: string, isOffered: boolean) =>
      maySteer && isLatest && isOffered ? `${policyUrl(id)}/rollout/${name}` : '';
    return {
      ...{ id, version: row.version, state: row.state, since: row.startedAt, seen, earlier, woken, failed },
      why: current?.paused === undefined ? '' : `paused by ${current.paused.actor}: ${current.paused.reason}`,
      pause: path('pause', row.state === 'waking'),
      resume: path('resume', isResumable(row)),
      back: path('back', isUnderWay(row)),
    };
  });
}
