/** What the Fastify plugins with routes of their own have in common: strict JSON in, an {@link Answer} out. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseStrictJson } from '../http/strict-json.js';
import { type Answer, invalid, json } from './answers.js';

/**
 * Routes of `child` take one JSON object or nothing. Anything else is answered 400, and a body over its limit 413.
 * @param otherwise answers further errors. Default: they are thrown on
 */
export function takeStrictJson(
  child: FastifyInstance,
  otherwise: (error: Error, request: FastifyRequest) => Answer = (error) => {
    throw error;
  },
): void {
  child.removeAllContentTypeParsers();
  child.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => {
    const text = body.toString().trim();
    try {
      parsed(null, text === '' ? undefined : parseStrictJson(text));
    } catch (error) {
      parsed(error instanceof Error ? error : new Error('the body could not be read', { cause: error }));
    }
  });
  child.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
    if (error.name === 'InvalidRequestError')
      return sendAnswer(reply, invalid('body', 'is not one JSON object'));
    if (error.statusCode === 413) return sendAnswer(reply, json(413, { error: 'too_large' }));
    return sendAnswer(reply, otherwise(error, request));
  });
}

export function sendAnswer(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .send(body === undefined ? undefined : JSON.stringify(body));
}
