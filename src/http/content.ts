/** The bodies that the gateway accepts: plain JSON, not compressed. */
import type { FastifyInstance } from 'fastify';
import { parseStrictJson } from './strict-json.js';

/** Accepts strict JSON only. Anything else is answered 415. */
export function takeStrictJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseStrictJson(body.toString()));
    } catch (error) {
      done(error instanceof Error ? error : new Error('the body could not be read', { cause: error }));
    }
  });
}

/**
 * The gateway decompresses nothing, so that a small body can't grow. Compressed bodies are refused at once.
 */
export function refuseCompressed(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return;
    await reply
      .code(415)
      .send({ error: 'invalid_request', message: 'content-encoding: is not taken. Send the body as it is' });
  });
}

/**
 * Accepts HTML forms only. Not by `@fastify/formbody`: a field that is sent twice must not become a list.
 * @param bodyLimit bytes
 */
export function takeForms(server: FastifyInstance, bodyLimit: number): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
}
