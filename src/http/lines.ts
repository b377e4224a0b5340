/** Long answers as JSON lines, sent while they are read, so that no list has to fit into memory. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * The connection breaks off where reading fails later: a list that is cut short must not pass for a whole one.
 * @param rows each becomes one line
 */
export function sendLines(reply: FastifyReply, rows: AsyncIterable<unknown>): FastifyReply {
  return sendText(reply, 'application/x-ndjson', linesOf(rows));
}

/** @param type the media type */
export function sendText(reply: FastifyReply, type: string, text: AsyncIterable<string>): FastifyReply {
  return reply.type(type).send(Readable.from(text, { objectMode: false }));
}

async function* linesOf(rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}
