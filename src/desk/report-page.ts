/** The report of a month: how many people each rung reached, and whether notices bring people back. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type MonthReport, monthReport } from '../audit/month-report.js';
import { figureNames, isPart } from '../audit/month-words.js';
import { describeElapsed } from '../domain/duration.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import type { DeskContext } from './context.js';
import { show } from './show.js';

const querystring = z.object({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is no month. Write it as 2026-10')
    .optional(),
});
/** Months that are offered. */
const offered = 12;

export function reportRoute(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const config = scopedPage('audit:read', access);
  plain
    .withTypeProvider<ZodTypeProvider>()
    .get('/desk/reports', { config, schema: { hide: true, querystring } }, async (request, reply) => {
      const now = await context.clock.now();
      const months = lastMonths(now);
      const month = request.query.month ?? months[0] ?? '';
      const report = await monthReport(context.pool, month, now);
      const view = {
        months: months.map((text) => ({
          ...{ text, href: `/desk/reports?month=${text}`, isCurrent: text === month },
        })),
        ...reportView(report),
      };
      return show(context, request, reply, 'report', { title: `Report of ${month}`, view });
    });
}

/** In UTC, this one first. */
function lastMonths(now: number): string[] {
  const today = new Date(now);
  return Array.from({ length: offered }, (_, back) =>
    new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back)).toISOString().slice(0, 7),
  );
}

function reportView({ people, notices }: MonthReport) {
  return {
    figures: Object.entries(people).map(([figure, count]) => {
      const text = figureNames[figure as keyof typeof people];
      return { text, count, isPart: isPart(figure) };
    }),
    notices: notices.map(({ notice, sent, returned, medianMs }) => ({
      ...{ notice, sent, returned },
      rate: sent === 0 ? '–' : `${((100 * returned) / sent).toFixed(1)} %`,
      half: medianMs === null ? '–' : describeElapsed(medianMs),
    })),
  };
}
