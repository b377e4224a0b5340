/**
 * `POST /v1/mail/events/:provider`: the web hooks of mail providers in their own format. Amazon's arrive in
 * an SNS envelope, and SNS requires the subscription to be confirmed first.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { EngineDormouse } from '../../client/engine.js';
import { InvalidRequestError } from '../../client.js';
import { type MailProvider, mailProviders } from '../../domain/mail-choices.js';
import { scoped } from '../../http/access.js';
import type { Bounce } from '../bounce.js';
import { readMailgunEvent } from '../providers/mailgun.js';
import { readPostmarkEvent } from '../providers/postmark.js';
import { readSendgridEvents } from '../providers/sendgrid.js';
import { readSesEvent } from '../providers/ses.js';
import { confirmSubscription, openSnsEnvelope } from '../providers/sns.js';
import { mailSecurity, takeBounce, taken } from './taken-bounce.js';

/** SendGrid sends many events at once; SES sends the headers of the mail. */
const bodyLimit = 1_048_576;
const atOnce = 5;

const readers: Readonly<Record<MailProvider, (body: unknown) => Bounce[]>> = {
  ses: readSesEvent,
  postmark: readPostmarkEvent,
  mailgun: readMailgunEvent,
  sendgrid: readSendgridEvents,
};

export function providerRoute(server: FastifyInstance, dormouse: EngineDormouse): void {
  server.removeAllContentTypeParsers();
  // SNS declares its JSON as text/plain.
  server.addContentTypeParser(
    ['application/json', 'text/plain'],
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
  server.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/mail/events/:provider',
    schema: {
      summary: "A mail provider's events, as it sends them",
      description: 'Events that say nothing of a bounce are taken and change nothing.',
      security: mailSecurity,
      params: z.object({ provider: z.enum(mailProviders) }),
      body: {
        content: { 'application/json': { schema: z.unknown().describe("the provider's own format") } },
      },
      response: taken,
    },
    bodyLimit,
    config: scoped('mail:report'),
    // Parsed by the provider's own schema. A path without a known provider is not found.
    validatorCompiler:
      ({ httpPart, schema }) =>
      (value) => {
        if (httpPart !== 'params' || !(schema instanceof z.ZodType)) return { value };
        const parsed = schema.safeParse(value);
        return parsed.success
          ? { value: parsed.data }
          : { error: new InvalidRequestError(`provider: is none of ${mailProviders.join(', ')}`) };
      },
    handler: async (request, reply) => {
      const { provider } = request.params;
      const bounces = await readBounces(provider, request);
      const limit = pLimit(atOnce);
      await Promise.all(
        bounces.map((bounce) => limit(() => takeBounce(dormouse, bounce, provider, request.log))),
      );
      return reply.code(202).send({ outcome: 'taken' });
    },
  });
}

/** @throws InvalidRequestError; its message never repeats the input, which names recipients */
async function readBounces(provider: MailProvider, request: FastifyRequest): Promise<Bounce[]> {
  let body: unknown;
  try {
    body = JSON.parse(String(request.body));
  } catch {
    throw new InvalidRequestError('body: is not JSON. Send the event as the provider made it');
  }
  if (provider === 'ses') {
    const envelope = openSnsEnvelope(body);
    if (envelope.kind === 'confirm') {
      await confirmSubscription(envelope.url);
      request.log.info({ topic: envelope.topic }, 'a subscription of SNS was confirmed');
      return [];
    }
    body = envelope.message;
  }
  try {
    return readers[provider](body);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const path = error.issues[0]?.path.map(String).join('.') ?? '';
    throw new InvalidRequestError(
      `body${path === '' ? '' : `.${path}`}: is not what an event of ${provider} has there. Send the event as the provider made it`,
    );
  }
}
