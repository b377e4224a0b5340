/** `POST /v1/activity`: an app reports a sign of life; one event as JSON, or a batch as NDJSON. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Dormouse, InvalidRequestError } from '../../client.js';
import { mayWriteSigns } from '../../domain/principals/scopes.js';
import { findPrincipal, noteInsufficientScope } from '../../http/access.js';
import { answers } from '../../http/schemas.js';
import { parseStrictJson } from '../../http/strict-json.js';
import { inSpan, tracing } from '../../process/tracing.js';
import { batchAnswer, batchBodyLimit, linesOf, recordLines } from './batch.js';
import { type ReportedSign, reportedSign, reportOf } from './event.js';
import type { SignedEvents } from './signed-events.js';

const foreignSource =
  'source: the credential may not report signs of life from it. Use one with the scope signs:write:<source>';
const ndjson = 'application/x-ndjson';

const single = z.object({
  outcome: z
    .enum(['recorded', 'dropped'])
    .describe('dropped: nothing answered, and the gateway was told to go on'),
});

const schema = {
  summary: 'Tell that somebody was active',
  description:
    'Late, duplicate and out-of-order events are harmless, the future is clamped to now. Unknown, never enrolled and deleted identities are answered alike.',
  security: [
    { serviceToken: [] },
    { signature: [], timestamp: [] },
    { webhookId: [], webhookTimestamp: [], webhookSignature: [] },
  ],
  body: {
    content: {
      'application/json': { schema: reportedSign },
      [ndjson]: { schema: z.string().describe('one event a line, at most 1,000 lines and 512 kB') },
    },
  },
  response: answers({ 202: z.union([single, batchAnswer]).describe('Taken; a batch says so for each line') }),
};

/** Keeps the raw body: the signature covers its bytes. */
function takeRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  server.addContentTypeParser(
    ndjson,
    { parseAs: 'buffer', bodyLimit: batchBodyLimit },
    (_request, body, done) => done(null, body),
  );
}

export function signRoutes(dormouse: Dormouse, signed: SignedEvents): FastifyPluginAsync {
  return async (server) => {
    takeRawBodies(server);
    server.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/activity',
      schema,
      config: { access: { scope: 'signs:write', otherWay: signed.otherWay } },
      onRequest: signed.beforeBody,
      preValidation: signed.onBody,
      // The handler parses the body, since the content type decides how.
      validatorCompiler: () => (value) => ({ value }),
      handler: async (request, reply) => {
        const signedAt = signed.signedAt(request);
        // Signed events have no principal: who has a secret may report from any source.
        const held = findPrincipal(request)?.scopes ?? ['signs:write'];
        const record = (event: ReportedSign) => {
          if (!mayWriteSigns(held, event.source)) throw new InvalidRequestError(foreignSource);
          return inItsTrace(event, () =>
            dormouse.recordActivity(event.identityId, reportOf(event, signedAt)),
          );
        };
        const body = Buffer.isBuffer(request.body) ? request.body : undefined;
        if (body !== undefined && request.headers['content-type']?.startsWith(ndjson) === true) {
          return reply.code(202).send(await recordLines(linesOf(body), record));
        }
        const event = reportedSign.parse(body === undefined ? undefined : parseStrictJson(body.toString()));
        if (!mayWriteSigns(held, event.source)) {
          noteInsufficientScope(request);
          return reply.code(403).send({ error: 'insufficient_scope', message: foreignSource });
        }
        return reply.code(202).send({ outcome: await record(event) });
      },
    });
  };
}

/** An event of a batch may come from another trace than its request: it continues its own, with a link to the request. */
function inItsTrace<T>({ traceparent }: ReportedSign, work: () => Promise<T>): Promise<T> {
  if (traceparent === undefined) return work();
  const request = tracing()?.active();
  const links = request === undefined ? [] : [request];
  return inSpan({ name: 'sign of life', kind: 'server', parent: { traceparent }, links }, work);
}
