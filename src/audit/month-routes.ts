/** `GET /v1/audit/months/:month`: the report of a month, for those who may read the audit log. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { scoped } from '../http/access.js';
import { answers } from '../http/schemas.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { monthOf } from './month.js';
import { monthCsv } from './month-csv.js';
import { monthJson } from './month-json.js';
import { monthPage } from './month-page.js';
import { type MonthReport, monthReport } from './month-report.js';
import { monthText } from './month-text.js';

export const monthFormats = ['json', 'csv', 'html', 'text'] as const;
type Format = (typeof monthFormats)[number];

const shown: Readonly<Record<Format, readonly [type: string, of: (report: MonthReport) => string]>> = {
  json: ['application/json; charset=utf-8', (report) => JSON.stringify(monthJson(report), null, 2)],
  csv: ['text/csv; charset=utf-8', (report) => monthCsv(report).join('')],
  html: ['text/html; charset=utf-8', monthPage],
  text: ['text/plain; charset=utf-8', (report) => `${monthText(report).join('\n')}\n`],
};

/** @param pool Dormouse's database */
export function monthRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().get(
      '/v1/audit/months/:month',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'How many people each rung reached in a month, and whether notices brought people back',
          security: [{ serviceToken: [] }],
          params: z.object({ month: z.string().describe('in UTC, as 2026-10') }),
          querystring: z.strictObject({ format: z.enum(monthFormats).default('json') }),
          produces: ['application/json', 'text/csv', 'text/html', 'text/plain'],
          response: answers({ 200: z.string() }),
        },
      },
      async ({ params: { month }, query: { format } }, reply) => {
        const [type, of] = shown[format];
        const report = await monthReport(pool, checkedMonth(month), Date.now());
        return reply.type(type).send(of(report));
      },
    );
  };
}

/** @throws InvalidRequestError */
function checkedMonth(month: string): string {
  try {
    monthOf(month);
    return month;
  } catch (cause) {
    throw new InvalidRequestError('month: is no month. Write it as 2026-10', { cause });
  }
}
