/** `/v1/audit…`: the audit log for those who may read it. Whether it was changed, `dormouse audit verify` finds out without a gateway. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { scoped } from '../http/access.js';
import { sendText } from '../http/lines.js';
import { answers, identityParameters, inputTime, outputTime } from '../http/schemas.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { controlIds } from './controls.js';
import { type ExportOptions, exportAudit, exportFormats, selectionOf } from './export.js';
import { readAudit } from './log-table.js';
import { buildReport, describeReport } from './report.js';
import { type AuditSelection, streamAudit } from './stream.js';

const security = [{ serviceToken: [] }];

const row = z.object({
  seq: z.number(),
  eventType: z.string(),
  target: z.string(),
  actor: z.string(),
  occurredAt: outputTime(),
  policyId: z.string().nullable(),
  policyVersion: z.number().nullable(),
  stage: z.string(),
  daysInactive: z.number(),
  outcome: z.string(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});
export const auditAnswer = z.object({ entries: z.array(row) });

const period = {
  from: inputTime.optional().describe('events from this time on'),
  to: inputTime.optional().describe('events before this time'),
};
const exported = z.strictObject({
  ...period,
  format: z.enum(exportFormats).default('csv'),
  control: z.enum(controlIds).optional().describe('only events that say something about it'),
});
const reported = z.strictObject({
  ...period,
  organisationDays: z.coerce
    .number()
    .pipe(z.int().min(0).max(99_999))
    .optional()
    .describe('the time of inactivity that you set for NIST AC-2(3)'),
  limit: z.coerce.number().pipe(z.int().min(0).max(10_000)).default(20).describe('accounts for each control'),
});
export const reportAnswer = z.object({
  report: z.object({
    schemaVersion: z.literal(1),
    generatedAt: outputTime(),
    actions: z
      .array(
        z.object({
          period: z.string().describe('month in UTC, as 2026-01'),
          eventType: z.string(),
          type: z.string().exactOptional(),
          outcome: z.string(),
          count: z.number(),
        }),
      )
      .readonly(),
    policies: z
      .array(
        z.object({
          id: z.string(),
          version: z.number(),
          hash: z.string(),
          publishedAt: outputTime(),
          latest: z.boolean(),
          accounts: z.number(),
        }),
      )
      .readonly(),
    stillIn: z
      .array(
        z.object({
          control: z.enum(controlIds),
          days: z.number(),
          total: z.number(),
          groups: z
            .array(z.object({ stage: z.string(), blockedBy: z.string().nullable(), count: z.number() }))
            .readonly(),
          longest: z
            .array(
              z.object({
                identityId: z.string(),
                stage: z.string(),
                blockedBy: z.string().nullable(),
                lastActiveAt: outputTime(),
                nextStep: z.string().nullable(),
                nextAt: outputTime().nullable(),
              }),
            )
            .readonly(),
        }),
      )
      .readonly(),
  }),
  lines: z.array(z.string()).describe('the same for people'),
});

/** @param pool Dormouse's database */
export function auditRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/identities/:id/audit',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'What was done to an identity, under which policy, and why',
          security,
          params: identityParameters,
          response: answers({ 200: auditAnswer }),
        },
      },
      async ({ params: { id } }) => ({
        entries: (await readAudit(pool, parseIdentityId(id))).map(({ detail, ...rest }) => ({
          ...rest,
          detail: detail === null ? null : { ...detail },
        })),
      }),
    );
    plain.get(
      '/v1/audit/export',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'One row an event, with the controls that it is evidence for; sent while it is read',
          security,
          querystring: exported,
          produces: ['text/csv', 'application/json'],
          response: answers({ 200: z.string() }),
        },
      },
      (request, reply) => {
        const { format, control, ...range } = request.query as z.output<typeof exported>;
        const options: ExportOptions = {
          ...{ format, selection: selectionFor(range), generatedAt: Date.now() },
          ...given({ control }),
        };
        const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8';
        return sendText(reply, type, exportAudit(streamAudit(pool, selectionOf(options)), options));
      },
    );
    server.get(
      '/v1/audit/report',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'Actions by month, policies in force, and accounts that are over a threshold and still in',
          security,
          querystring: reported,
          response: answers({ 200: reportAnswer }),
        },
      },
      async ({ query: { from, to, limit, organisationDays } }) => {
        const selection = selectionFor(given({ from, to }));
        const report = await buildReport(pool, {
          ...{ selection, limit, now: Date.now() },
          ...given({ organisationDays }),
        });
        return { report, lines: describeReport(report) };
      },
    );
  };
}

/** @throws InvalidRequestError */
function selectionFor({ from, to }: { from?: string | undefined; to?: string | undefined }): AuditSelection {
  const range = given({
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  });
  if (range.from !== undefined && range.to !== undefined && range.to <= range.from) {
    throw new InvalidRequestError('to: is before from, so the range is empty. Send the earlier one as from');
  }
  return range;
}
