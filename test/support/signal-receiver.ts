/** A receiver of security events: real HTTP, verifies events by the published keys, and answers as a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

export interface ReceivedEvent {
  readonly payload: JWTPayload;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

export type Answer = (event: ReceivedEvent, response: ServerResponse) => void | Promise<void>;

export interface EventReceiver {
  readonly url: string;
  /** Every event that came, whatever the answer was. */
  readonly received: ReceivedEvent[];
  /** Requests whose token could not be verified. */
  readonly refused: string[];
  answer: Answer;
  close(): Promise<void>;
}

/** RFC 8935, section 2.2. */
export const accept: Answer = (_event, response) => void response.writeHead(202).end();
/** RFC 8935, section 2.3. */
export const refuse =
  (err: string): Answer =>
  (_event, response) =>
    void response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ err, description: 'words of the receiver' }));
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_event, response) =>
    void response.writeHead(code, headers).end('some page');

export interface ReceiverOptions {
  /** Where the transmitter publishes its keys. */
  readonly jwksUri: string;
  readonly issuer: string;
  readonly audience: string;
}

export async function startReceiver({ jwksUri, issuer, audience }: ReceiverOptions): Promise<EventReceiver> {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const receiver = { received: [] as ReceivedEvent[], refused: [] as string[], answer: accept };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      const { payload } = await jwtVerify(Buffer.concat(chunks).toString('utf8'), keys, {
        issuer,
        audience,
        typ: 'secevent+jwt',
      });
      const { authorization, 'content-type': contentType } = request.headers;
      const event = { payload, authorization, contentType };
      receiver.received.push(event);
      await receiver.answer(event, response);
    } catch (error) {
      receiver.refused.push(String(error));
      response.writeHead(400).end('{"err":"invalid_key"}');
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}/events`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
