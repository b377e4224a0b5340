/** The first page: the population by stage, what is in the way, what waits, and what comes within a week. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { stages } from '../domain/rungs.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { readStandingFigures } from '../standings/figures.js';
import { type ComingCount, dayOf, daysFrom, readComing } from '../standings/population.js';
import type { DeskContext } from './context.js';
import { peopleUrl } from './people-page.js';
import { may, show } from './show.js';
import { blockNames, workNames } from './words.js';

export function overviewRoute(server: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const config = scopedPage('standing:read', access);
  server.get('/desk', { config, schema: { hide: true } }, async (request, reply) =>
    show(context, request, reply, 'overview', { title: 'Overview', view: await viewOf(context, request) }),
  );
}

async function viewOf({ pool, clock, dormouse }: DeskContext, request: FastifyRequest): Promise<object> {
  const now = await clock.now();
  const [figures, coming, work] = await Promise.all([
    readStandingFigures(pool, now),
    readComing(pool, now),
    may(request, 'worklist:read') ? dormouse.worklist({ limit: 1 }) : undefined,
  ]);
  const total = figures.groups.reduce((sum, { count }) => sum + count, 0);
  return {
    ...{ total, withAddresses: may(request, 'addresses:read'), overdue: figures.overdue },
    stages: stages
      .filter((stage) => stage !== 'deleted')
      .map((stage) => {
        const count = countOf(figures.groups, (group) => group.stage === stage);
        return { stage, count, share: percent(count, total), href: peopleUrl({ stage }) };
      }),
    blocks: Object.entries(blockNames)
      .map(([blockedBy, text]) => ({
        ...{ text, href: peopleUrl({ blockedBy }) },
        count: countOf(figures.groups, (group) => group.blockedBy === blockedBy),
      }))
      .filter(({ count }) => count > 0),
    work: Object.entries(work?.counts ?? {})
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => ({
        ...{ count, text: workNames[kind as keyof typeof workNames], href: `/desk/work?kind=${kind}` },
      })),
    ...comingTable(coming, now),
  };
}

type Group = Awaited<ReturnType<typeof readStandingFigures>>['groups'][number];

function countOf(groups: readonly Group[], isMeant: (group: Group) => boolean): number {
  return groups.filter(isMeant).reduce((sum, { count }) => sum + count, 0);
}

function percent(count: number, total: number): number {
  return total === 0 ? 0 : Math.round((1_000 * count) / total) / 10;
}

/** A row for each day, a column for each step that occurs. */
function comingTable(coming: readonly ComingCount[], now: number): object {
  const steps = [...new Set(coming.map(({ step }) => step))].sort(byHarshness);
  const days = daysFrom(now).map((day) => ({
    label: day === dayOf(now) ? `${day}, today` : day,
    cells: steps.map((step) => ({
      count: coming.find((one) => one.day === day && one.step === step)?.count ?? 0,
      href: peopleUrl({ step, day, blockedBy: 'none' }),
    })),
  }));
  return { hasComing: coming.length > 0, steps: steps.map((text) => ({ text })), days };
}

const order = ['warn', 'suspend', 'revoke', 'winback', 'deactivate', 'delete', 'bury'];

/** In the order of the ladder, each notice before its rung. */
function byHarshness(one: string, other: string): number {
  const place = (step: string) =>
    2 * order.indexOf(step.replace('notice:', '')) + (step.includes(':') ? 0 : 1);
  return place(one) - place(other);
}
