/** Lists of people, by stage, by what is in the way, and by what comes next: a page at a time, by key, so that a list of any length is cheap. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { isIdentityId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { rungNames, stages } from '../domain/rungs.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { listPeople } from '../standings/population.js';
import type { DeskContext } from './context.js';
import { show } from './show.js';
import { blockNames } from './words.js';

const steps = [...rungNames, 'bury', ...rungNames.map((rung) => `notice:${rung}`)];
const rows = 100;

const querystring = z.object({
  stage: z.enum(stages).optional(),
  blockedBy: z.enum(['none', ...Object.keys(blockNames)]).optional(),
  step: z.enum(steps).optional(),
  day: z.iso.date().optional(),
  after: z.string().refine(isIdentityId, 'is not the end of a page').optional(),
});
type Filters = z.output<typeof querystring>;

/** @returns the address of the list of those that fit all the conditions */
export function peopleUrl(filters: { readonly [Name in keyof Filters]?: string | undefined }): string {
  const query = new URLSearchParams(given(filters) as Record<string, string>).toString();
  return query === '' ? '/desk/people' : `/desk/people?${query}`;
}

export function peopleRoute(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const config = scopedPage('standing:read', access);
  plain
    .withTypeProvider<ZodTypeProvider>()
    .get('/desk/people', { config, schema: { hide: true, querystring } }, async (request, reply) => {
      const { after, ...filters } = request.query;
      const now = await context.clock.now();
      const found = await listPeople(context.pool, { ...given({ ...filters, after }), rows: rows + 1, now });
      const people = found.slice(0, rows).map((person) => ({
        ...{ nextStep: '', nextAt: undefined, blockedBy: '', policy: '' },
        ...given(person),
        href: identityUrl(person.identityId),
      }));
      const last = people.at(-1)?.identityId;
      const view = {
        ...{ people, filters: filterViews(filters), isFirst: after === undefined, href: peopleUrl(filters) },
        next: found.length > rows && last !== undefined ? peopleUrl({ ...filters, after: last }) : '',
      };
      return show(context, request, reply, 'people', { title: 'People', view });
    });
}

/** Each condition, and the same list without it. */
function filterViews(filters: Omit<Filters, 'after'>) {
  const texts: Readonly<Record<keyof typeof filters, (value: string) => string>> = {
    stage: (value) => `stage ${value}`,
    blockedBy: (value) =>
      value === 'none' ? 'nothing in the way' : `in the way: ${blockNames[value as keyof typeof blockNames]}`,
    step: (value) => `next is ${value}`,
    day: (value) => `due on ${value}`,
  };
  return Object.entries(given(filters)).map(([name, value]) => ({
    text: texts[name as keyof typeof texts](String(value)),
    href: peopleUrl({ ...filters, [name]: undefined }),
  }));
}
