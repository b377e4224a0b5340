/** Reads and answers Node's own requests and responses, for Express and its like. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseStrictJson } from '../http/strict-json.js';
import { type Answer, invalid, json } from './answers.js';

export type ReadBody = { readonly body: unknown } | { readonly refused: Answer };

/** @param largest bytes. @returns the JSON of the body, parsed by a middleware before or here; `undefined`: there is none */
export async function bodyOf(
  request: IncomingMessage & { readonly body?: unknown },
  largest: number,
): Promise<ReadBody> {
  if (request.body !== undefined) return { body: request.body };
  if (request.readableEnded) return { body: undefined };
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > largest) return { refused: json(413, { error: 'too_large' }, { connection: 'close' }) };
    parts.push(bytes);
  }
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (text === '') return { body: undefined };
  try {
    return { body: parseStrictJson(text) };
  } catch {
    return { refused: invalid('body', 'is not one JSON object') };
  }
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
