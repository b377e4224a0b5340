/**
 * The listener for those who operate the process: `/metrics`, `/livez` and `/readyz`. It has an address of its own, because it asks for no
 * credential: it is never to be reached by the public.
 */
import Fastify from 'fastify';
import type { Registry } from 'prom-client';
import type { ListenAddress } from '../config/listen-address.js';
import type { Readiness } from './readiness.js';
import { shared } from './shared-check.js';

export interface ObservabilityListenerOptions {
  readonly address: ListenAddress;
  readonly registry: Registry;
  /** What another exporter of the same process answers, in Prometheus' text format. */
  readonly more?: () => Promise<string>;
  /** Must not reject. */
  readonly readReadiness: () => Promise<Readiness>;
}

export interface ObservabilityListener {
  /** `http://host:port` */
  readonly url: string;
  close(): Promise<void>;
}

/** A check is made once in this time, however many ask. Milliseconds. */
const keepMs = 1_000;
const scrapeTimeoutMs = 5_000;

/** Starts to listen. */
export async function startListener(options: ObservabilityListenerOptions): Promise<ObservabilityListener> {
  const { address, registry, more } = options;
  const readReadiness = shared(options.readReadiness, { timeoutMs: 10_000, keepMs });
  const scrape = shared(
    async () => [await registry.metrics(), more === undefined ? '' : await more()].join('\n'),
    { timeoutMs: scrapeTimeoutMs, keepMs },
  );
  const server = Fastify({ logger: false, bodyLimit: 1_024, requestTimeout: 20_000 });
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  // That it answers shows that the event loop turns. Nothing outside is asked: a restart mends no database.
  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const { ready, ...why } = await readReadiness();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', ...why });
  });
  server.get('/metrics', async (_request, reply) => {
    try {
      const page = await scrape();
      return reply.type(registry.contentType).send(page);
    } catch {
      return reply.code(503).send({ status: 'the metrics could not be read: see the log' });
    }
  });
  const url = await server.listen(address);
  return { url, close: () => server.close() };
}
