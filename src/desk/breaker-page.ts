/** The breaker: what it stopped and why, who waits, and its release by a second person. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { approveRelease, proposeRelease } from '../breaker/decisions.js';
import { breakerOverview, readWaiting, type Waiting } from '../breaker/overview.js';
import type { Release } from '../breaker/releases-table.js';
import { InvalidRequestError } from '../client.js';
import { adviceFor } from '../domain/breaker/trip.js';
import { dayMs } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { isIdentityId, parseIdentityId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { highestVersion } from '../domain/names.js';
import { isSameOperator } from '../domain/principals/principal.js';
import { type PageAccess, principalOf, scopedPage } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { checkedReason } from '../http/reason.js';
import type { DeskContext } from './context.js';
import { may, show } from './show.js';

/** People who wait, on one page. */
const rows = 100;
/** As the API has it. */
const mostIdentities = 10_000;

const querystring = z.object({
  done: z.string().optional(),
  after: z
    .string()
    .regex(/^\d{1,16}:[0-9a-fA-F-]{36}$/, 'is not the end of a page')
    .optional(),
});
const params = z.object({ id: z.coerce.number().pipe(z.int().min(1).max(highestVersion)) });
const proposal = z.object({
  reason: z.string(),
  /** One UUID a line; empty: everybody. */
  identities: z.string().default(''),
});

export function breakerPage(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const config = scopedPage('breaker:read', access);
  server.get('/desk/breaker', { config, schema: { hide: true, querystring } }, async (request, reply) => {
    const view = await viewOf(context, request, request.query.after);
    return show(context, request, reply, 'breaker', { title: 'Breaker', view });
  });
  const { pool } = context;
  server.post(
    '/desk/breaker/trips/:id/releases',
    { config: scopedPage('breaker:propose', access), schema: { hide: true, params, body: proposal } },
    async (request, reply) => {
      const { reason, identities } = request.body;
      const decision = {
        ...{ tripId: request.params.id, reason: checkedReason(reason), at: Date.now() },
        ...{ actor: namedActor(request, reply), owner: principalOf(request).owner },
        ...given({ identities: listed(identities) }),
      };
      const { effectiveAt } = await proposeRelease(pool, decision);
      return reply.redirect(`/desk/breaker?done=${effectiveAt === undefined ? 'proposed' : 'passed'}`, 303);
    },
  );
  server.post(
    '/desk/breaker/releases/:id/approvals',
    { config: scopedPage('breaker:approve', access), schema: { hide: true, params } },
    async (request, reply) => {
      const approval = {
        ...{ releaseId: request.params.id, at: Date.now() },
        ...{ actor: namedActor(request, reply), owner: principalOf(request).owner },
      };
      const { effectiveAt } = await approveRelease(pool, approval);
      return reply.redirect(`/desk/breaker?done=${effectiveAt === undefined ? 'agreed' : 'passed'}`, 303);
    },
  );
}

async function viewOf({ pool, clock }: DeskContext, request: FastifyRequest, after: string | undefined) {
  const now = await clock.now();
  const [overview, waiting] = await Promise.all([
    breakerOverview(pool, now - dayMs, now),
    readWaiting(pool, { rows: rows + 1, ...(after !== undefined && { after: placeOf(after) }) }),
  ]);
  const people = waiting.slice(0, rows);
  const last = people.at(-1);
  const mayPropose = may(request, 'breaker:propose');
  return {
    trips: overview.trips.map(({ id, scope, cause, why, trippedAt, operators }) => ({
      ...{
        id,
        scope,
        cause,
        why,
        trippedAt,
        operators,
        advice: adviceFor(cause),
        needsSecond: operators > 1,
      },
      propose: mayPropose ? `/desk/breaker/trips/${id}/releases` : '',
    })),
    pending: overview.pending.map((release) => pendingView(release, request)),
    acts: Object.entries(overview.acts).map(([text, count]) => ({ text: actNames[text] ?? text, count })),
    ...{ total: overview.population, waiting: overview.waiting, warnings: overview.warnings },
    people: people.map((person) => ({ ...person, href: identityUrl(person.identityId) })),
    ...{ isFirst: after === undefined, href: '/desk/breaker' },
    next: waiting.length > rows && last !== undefined ? `/desk/breaker?after=${keyOf(last)}#waiting` : '',
  };
}

const actNames: Readonly<Record<string, string>> = {
  ...{ bury: 'burials', endPersonal: 'personal access tokens ended', endRefresh: 'refresh tokens ended' },
  ...{ revoke: 'revocations', deactivate: 'deactivations', delete: 'deletions' },
};

/** Whoever proposed can't approve: the button is for somebody else, and the page says so. */
function pendingView(
  { id, tripId, reason, identities, owners, operators }: Release,
  request: FastifyRequest,
) {
  const { owner } = principalOf(request);
  const isOwn = owners.some((other) => isSameOperator({ owner: other }, { owner }));
  return {
    ...{ id, tripId, reason, owners: owners.join(', '), operators, agreed: owners.length, isOwn },
    covers: identities === undefined ? 'everybody who waits' : `${identities.length} identities, once each`,
    approve: may(request, 'breaker:approve') && !isOwn ? `/desk/breaker/releases/${id}/approvals` : '',
  };
}

const keyOf = ({ lastActiveAt, identityId }: Waiting) => `${lastActiveAt}:${identityId}`;

function placeOf(after: string) {
  const [at = '', id = ''] = after.split(':');
  if (!isIdentityId(id)) throw new InvalidRequestError('after: is not the end of a page');
  return { lastActiveAt: Number(at), identityId: id };
}

/** @returns `undefined` where the form lists nobody. @throws InvalidRequestError naming the line */
function listed(text: string): string[] | undefined {
  const lines = text.split(/[\s,;]+/).filter((line) => line !== '');
  if (lines.length === 0) return undefined;
  const wrong = lines.findIndex((line) => !isIdentityId(line));
  if (wrong !== -1)
    throw new InvalidRequestError(`identities: number ${wrong + 1} is not the UUID of an identity`);
  const all = [...new Set(lines.map(parseIdentityId))];
  if (all.length > mostIdentities)
    throw new InvalidRequestError(`identities: takes ${mostIdentities} at most. Propose the rest separately`);
  return all;
}
