/**
 * `/v1/mail/…`: the mail system reports mails that bounced. Anyone who knows the name of a mail (the
 * recipient does) can forge a bounce. The worst that a bounce can do is hold a step back.
 */

import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { EngineDormouse } from '../../client/engine.js';
import { given } from '../../domain/given.js';
import { scoped } from '../../http/access.js';
import { inputTime } from '../../http/schemas.js';
import { findMessageId } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, bounceKinds, findStatusCode } from '../bounce.js';
import { readDeliveryReport } from '../delivery-report.js';
import { providerRoute } from './provider-route.js';
import { mailSecurity as security, takeBounce, taken } from './taken-bounce.js';

const fields = z.strictObject({
  messageId: z
    .string()
    .max(300)
    .transform((text) => findMessageId(text))
    .pipe(z.string({ error: 'is no Message-ID of Dormouse. Send the one of the mail that bounced' }))
    .optional()
    .describe('Message-ID of the mail that bounced, with or without angle brackets'),
  queueId: z
    .string()
    .max(100)
    .transform((text) => asQueueId(text))
    .pipe(
      z.string({ error: 'is no name that a mail server gives a mail. Send it as it stands in the answer' }),
    )
    .optional()
    .describe('name that the mail server gave the mail in its answer, where the report has no Message-ID'),
  kind: z
    .enum(bounceKinds)
    .describe('hard: it will not arrive; soft: late; complaint: it arrived and was called unwanted'),
  at: inputTime.optional().describe('default: now'),
  diagnosticCode: z.string().max(2_000).optional().describe('only the enhanced status code in it is kept'),
});

const body = fields.refine(({ messageId, queueId }) => messageId !== undefined || queueId !== undefined, {
  path: ['messageId'],
  error: 'is missing, and so is queueId. Send one of them',
});

const rfc822 = 'message/rfc822';
/** Reports quote at most the mail that bounced, and our mails have a few kilobytes. */
const reportLimit = 262_144;

export function mailRoutes(dormouse: EngineDormouse): FastifyPluginAsync {
  return async (server) => {
    server.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/mail/bounces',
      schema: { summary: 'A mail came back', security, body, response: taken },
      bodyLimit: 4_096,
      config: scoped('mail:report'),
      handler: async (request, reply) => {
        const { messageId, queueId, kind, at, diagnosticCode } = request.body;
        const code = findStatusCode(diagnosticCode ?? '');
        const bounce: Bounce = {
          kind,
          ...given({ messageId }),
          ...(queueId === undefined ? {} : { queueIds: [queueId] }),
          ...(at === undefined ? {} : { at: Date.parse(at) }),
          ...given({ code }),
        };
        await takeBounce(dormouse, bounce, 'http', request.log);
        return reply.code(202).send({ outcome: 'taken' });
      },
    });
    await server.register(async (raw) => reportRoute(raw, dormouse));
    await server.register(async (raw) => providerRoute(raw, dormouse));
  };
}

function reportRoute(server: FastifyInstance, dormouse: EngineDormouse): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(rfc822, { parseAs: 'buffer' }, (_request, message, done) =>
    done(null, message),
  );
  server.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/mail/dsn',
    schema: {
      summary: 'A delivery status notification (RFC 3464), as it came',
      description: 'Anything else is taken and changes nothing.',
      security,
      body: { content: { [rfc822]: { schema: z.string().describe('the message') } } },
      response: taken,
    },
    bodyLimit: reportLimit,
    config: scoped('mail:report'),
    // The body is raw bytes, so there is nothing to validate before it is parsed.
    validatorCompiler: () => (value) => ({ value }),
    handler: async (request, reply) => {
      const bounce = Buffer.isBuffer(request.body) ? await readDeliveryReport(request.body) : undefined;
      if (bounce !== undefined) await takeBounce(dormouse, bounce, 'dsn', request.log);
      return reply.code(202).send({ outcome: 'taken' });
    },
  });
}
