/**
 * The app that the benchmark asks, in a process of its own: the same routes in four ways of telling who was active. Speaks
 * with the benchmark by Node's own channel.
 */
import { Client, Connection } from '@temporalio/client';
import Fastify, { type FastifyInstance } from 'fastify';
import { createDormouse } from '../../src/client/direct.js';
import { dormouseActivity } from '../../src/middleware/fastify.js';
import { createIdentityVerifier } from '../../src/middleware/verified-identity.js';
import { createPool } from '../../src/postgres/pool.js';
import type { AppInput, AppState } from './app-messages.js';
import { runSink, sinkQueue, startSink } from './sink.js';

type Told = () => Pick<AppState, 'noted' | 'pending' | 'signalled'>;

const input: AppInput = JSON.parse(process.argv[2] ?? '{}');
if (input.way === 'sink') {
  await runSink(input.temporalAddress);
  process.send?.({ port: 0 });
} else {
  await serve();
}

async function serve(): Promise<void> {
  const app = Fastify();
  app.get('/', () => ({ hello: 'world' }));
  const told = await put(app);
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  process.on('message', (question) => {
    if (question === 'memory') globalThis.gc?.();
    const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
    process.send?.({ ...told(), rssBytes, heapBytes } satisfies AppState);
  });
  process.send?.({ port: Number(url.port) });
}

async function put(app: FastifyInstance): Promise<Told> {
  const { postgresUrl, temporalAddress, tokens, way } = input;
  if (way === 'middleware') {
    const dormouse = createDormouse({ temporal: { address: temporalAddress }, postgresUrl });
    await app.register(dormouseActivity, { dormouse, tokens });
    return () => dormouse.counters();
  }
  let noted = 0;
  if (way === 'verified') {
    const noteActivity = () => {
      noted += 1;
    };
    await app.register(dormouseActivity, { dormouse: { noteActivity }, tokens });
  } else if (way !== 'plain') {
    const record = await (way === 'update' ? updating(postgresUrl) : signalling(temporalAddress));
    const verifier = createIdentityVerifier({ tokens });
    app.addHook('preHandler', async ({ headers }) => {
      const pending = verifier(headers);
      const { identity } = pending?.known ?? (await pending?.ask()) ?? {};
      if (identity === undefined) return;
      await record(identity.identityId);
      noted += 1;
    });
  }
  return () => ({ noted, pending: 0, signalled: way === 'signal' ? noted : 0 });
}

async function updating(url: string): Promise<(id: string) => Promise<unknown>> {
  const pool = createPool({ url, max: 20 });
  return (id) => pool.query('UPDATE baseline SET last_active_at = now() WHERE identity_id = $1', [id]);
}

async function signalling(address: string): Promise<(id: string) => Promise<unknown>> {
  const client = new Client({ connection: await Connection.connect({ address }) });
  return (id) => startSink(client, id, sinkQueue);
}
