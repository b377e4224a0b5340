/** `GET /v1/identities/:id/mails` and `GET /v1/mails/unmatched`: what was sent, and what came back. No address is in it. */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { parseIdentityId } from '../../domain/identity-id.js';
import { scoped } from '../../http/access.js';
import { answers, identityParameters, outputTime } from '../../http/schemas.js';
import { unmatchedBounces } from '../bounces-table.js';
import { listMails } from '../mails-table.js';

const security = [{ serviceToken: [] }];

export const mailsAnswer = z.object({
  mails: z.array(
    z.object({
      kind: z.string(),
      state: z.string(),
      messageId: z.string(),
      attempts: z.number(),
      firstTriedAt: outputTime(),
      settledAt: outputTime().nullable(),
      replyCode: z.number().nullable(),
      enhancedCode: z.string().nullable(),
      queueId: z.string().nullable(),
      acceptedBy: z.string().nullable(),
      bounceClass: z.string().nullable(),
      bounceCode: z.string().nullable(),
      bouncedAt: outputTime().nullable(),
    }),
  ),
});
export const unmatchedAnswer = z.object({
  bounces: z.array(
    z.object({
      receivedAt: outputTime(),
      source: z.string(),
      kind: z.string(),
      code: z.string().nullable(),
      reference: z.string().describe('the name of the mail in the report; empty where there is none'),
    }),
  ),
});

/** @param pool Dormouse's database */
export function mailProofRoutes(pool: pg.Pool): FastifyPluginAsync {
  return async (plain) => {
    const server = plain.withTypeProvider<ZodTypeProvider>();
    server.get(
      '/v1/identities/:id/mails',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'Every mail to an identity, and the proof that the mail server gave',
          security,
          params: identityParameters,
          response: answers({ 200: mailsAnswer }),
        },
      },
      async ({ params: { id } }) => ({ mails: await listMails(pool, parseIdentityId(id)) }),
    );
    server.get(
      '/v1/mails/unmatched',
      {
        config: scoped('audit:read'),
        schema: {
          summary: 'Reports that match no mail, the newest first',
          security,
          response: answers({ 200: unmatchedAnswer }),
        },
      },
      async () => ({ bounces: await unmatchedBounces(pool) }),
    );
  };
}
