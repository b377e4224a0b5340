/** A real HTTP proxy in front of a real server, with faults on demand. Imports Node only. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  /** Answers itself; the server never sees the request. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body: string;
    }
  /** Takes the request and never answers. */
  | { readonly kind: 'no-answer' }
  /** Cuts the connection before the server sees the request. */
  | { readonly kind: 'reset' }
  /** The server carries the request out; its answer is lost. */
  | { readonly kind: 'answer-lost' }
  /** The server carries the request out; the connection breaks in the middle of its answer. */
  | { readonly kind: 'truncated' }
  /** Does something after the server carried the request out and before its answer is passed on. */
  | { readonly kind: 'meanwhile'; readonly deed: () => Promise<unknown> };

export interface FaultProxy {
  readonly url: string;
  /** `METHOD /path` of every request, in order. */
  readonly requests: readonly string[];
  /** Applies the fault to the next `times` requests whose `METHOD /path` matches. Default: all to come. */
  inject(fault: Fault, match?: RegExp, times?: number): void;
  /** No more faults. */
  heal(): void;
  close(): Promise<void>;
}

interface Rule {
  readonly fault: Fault;
  readonly match: RegExp;
  left: number;
}

/** @param decide asked for each request that no injected fault takes, by its `METHOD /path` */
export async function startFaultProxy(
  upstream: string,
  decide: (line: string) => Fault | undefined = () => undefined,
): Promise<FaultProxy> {
  const requests: string[] = [];
  let rules: Rule[] = [];
  const take = (line: string): Fault | undefined => {
    const rule = rules.find(({ match, left }) => left > 0 && match.test(line));
    if (rule !== undefined) rule.left -= 1;
    return rule?.fault;
  };
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    handle(upstream, take(line) ?? decide(line), incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    inject(fault, match = /./, times = Number.POSITIVE_INFINITY) {
      rules.push({ fault, match, left: times });
    },
    heal() {
      rules = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  upstream: string,
  fault: Fault | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await collect(incoming);
  if (fault?.kind === 'no-answer') return;
  if (fault?.kind === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  if (fault?.kind === 'answer') {
    outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
    outgoing.end(fault.body);
    return;
  }
  const answer = await forward(upstream, incoming, body);
  if (fault?.kind === 'answer-lost') {
    incoming.socket.resetAndDestroy();
    return;
  }
  if (fault?.kind === 'meanwhile') await fault.deed();
  if (fault?.kind === 'truncated') {
    outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length + 20 });
    if (answer.body.length > 0) outgoing.write(answer.body.subarray(0, answer.body.length / 2));
    // After the written bytes are on their way.
    setImmediate(() => incoming.socket.destroy());
    return;
  }
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function forward(upstream: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(incoming.url ?? '/', upstream);
    const { connection: _connection, 'transfer-encoding': _chunked, ...headers } = incoming.headers;
    const onward = request(
      url,
      {
        method: incoming.method ?? 'GET',
        headers: { ...headers, host: url.host, 'content-length': body.length },
      },
      (answer) => {
        const { 'transfer-encoding': _answerChunked, ...answerHeaders } = answer.headers;
        collect(answer).then(
          (content) => resolve({ status: answer.statusCode ?? 502, headers: answerHeaders, body: content }),
          reject,
        );
      },
    );
    onward.on('error', reject);
    onward.end(body);
  });
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
