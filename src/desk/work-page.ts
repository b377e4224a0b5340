/** The work list: what waits for a decision, with its reason and the way out. A page at a time. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { InvalidRequestError } from '../client.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import type { RolloutPlaceOfWork } from '../rollout/start.js';
import { retryAll } from '../standings/retry-all.js';
import { type WorkItem, workKinds } from '../worklist/rules.js';
import type { DeskContext } from './context.js';
import { may, show } from './show.js';
import { workNames } from './words.js';

const rows = 100;
const querystring = z.object({
  kind: z.enum(workKinds).optional(),
  after: z.string().max(200).optional(),
  done: z.string().optional(),
});

const urlOf = (query: { readonly kind?: string | undefined; readonly after?: string | undefined }) => {
  const text = new URLSearchParams(given(query) as Record<string, string>).toString();
  return text === '' ? '/desk/work' : `/desk/work?${text}`;
};

export function workRoute(
  plain: FastifyInstance,
  { dormouse, ...context }: DeskContext,
  access: PageAccess,
): void {
  const config = scopedPage('worklist:read', access);
  plain
    .withTypeProvider<ZodTypeProvider>()
    .get('/desk/work', { config, schema: { hide: true, querystring } }, async (request, reply) => {
      const { kind, after } = request.query;
      const { counts, items, next } = await dormouse.worklist({ limit: rows, ...given({ kind, after }) });
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const kinds = [
        { text: 'All', count: all, href: urlOf({}), isCurrent: kind === undefined },
        ...workKinds
          .filter((one) => counts[one] > 0 || one === kind)
          .map((one) => ({
            ...{
              text: workNames[one],
              count: counts[one],
              href: urlOf({ kind: one }),
              isCurrent: one === kind,
            },
          })),
      ];
      const parked = kind === 'parked' ? items.flatMap(({ identityId }) => identityId ?? []) : [];
      const mayRetry = context.rollouts !== undefined && may(request, 'identities:operate');
      const view = {
        ...{ retry: mayRetry ? parked.join(' ') : '', parked: parked.length },
        ...{ kinds, items: items.map(itemView), isFirst: after === undefined, href: urlOf({ kind }) },
        next: next === undefined ? '' : urlOf({ kind, after: next }),
      };
      return show({ dormouse, ...context }, request, reply, 'work', { title: 'Work list', view });
    });
}

const retries = z.object({ identities: z.string().max(10_000) });
/** Retries a second: a page takes two seconds. */
const perSecond = 50;

/** Tries the parked steps of one page again. */
export function workForms(
  plain: FastifyInstance,
  { rollouts }: DeskContext & { readonly rollouts: RolloutPlaceOfWork },
  access: PageAccess,
): void {
  plain.post(
    '/desk/work/retry-parked',
    { config: scopedPage('identities:operate', access), schema: { hide: true } },
    async (request, reply) => {
      const ids = retries
        .parse(request.body)
        .identities.split(/\s+/)
        .filter((id) => id !== '')
        .map(parseIdentityId);
      if (ids.length > rows)
        throw new InvalidRequestError(`identities: takes ${rows} at most, a page of the list`);
      await retryAll(rollouts.client, ids, { actor: namedActor(request, reply), perSecond });
      return reply.redirect('/desk/work?kind=parked&done=retriedAll', 303);
    },
  );
}

function itemView({ kind, identityId, since, subject, why, wayOut, owner, dueAt }: WorkItem) {
  return {
    ...{ kind: workNames[kind], subject, why, wayOut, since, dueAt, owner: owner ?? '' },
    identityId: identityId ?? '',
    href: identityId === undefined ? placeOf(kind, subject) : identityUrl(identityId),
  };
}

/** Where an item that concerns the installation is dealt with; empty: nowhere at the desk. */
function placeOf(kind: WorkItem['kind'], subject: string): string {
  if (kind === 'breaker-tripped' || kind === 'release-pending') return '/desk/breaker';
  const policyId = /^[a-z][a-z0-9-]{0,31}/.exec(subject)?.[0];
  return policyId === undefined ? '' : `/desk/policies/${policyId}`;
}
