/**
 * `npm run bench:activity`: what it costs to know who is alive. One run, three ways of taking the same requests:
 * Dormouse's client, one UPDATE a request, one signal a request. Prints ratios against both baselines, as Markdown.
 */
import { cpus, tmpdir, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createDormouse } from '../../src/client.js';
import { startStack } from '../../src/stack/index.js';
import { createPool, migrate } from '../../src/store/pool.js';
import { v4Of } from './identities.js';
import { type Percentiles, percentiles, timeRequests } from './latencies.js';
import { seeded, zipf } from './zipf.js';

const identities = 100_000;
const exponent = 1.07;
const atATime = 64;
/** Requests of each way: the slow ones get fewer, so that the whole takes minutes. */
const requests = { client: 500_000, update: 20_000, signal: 3_000 };

interface Result extends Percentiles {
  readonly name: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly signals: number;
}

const ids = Array.from({ length: identities }, (_, rank) => v4Of(rank));
const stack = await startStack({
  dataDirectory: tmpdir(),
  ephemeral: true,
  worker: false,
  gateway: false,
  report: (line) => console.error(line),
});
try {
  await migrate(stack.info.postgres.url);
  const results = [await throughClient(), await byUpdate(), await bySignal()];
  print(results, await bytesInPostgres(), heapPerPending());
} finally {
  await stack.stop();
}

function draw(): () => string {
  const next = zipf(identities, exponent, seeded(42));
  return () => ids[next()] ?? '';
}

/** Everybody is enrolled, at the bottom of the ladder, and was last told at some moment of the past day. */
async function seed(): Promise<void> {
  const pool = createPool({ url: stack.info.postgres.url, statementTimeoutMs: 120_000 });
  await pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, off_bottom, signal_window_ms)
     SELECT id, 'active', now(), now(), '{}', 1, now(), false, 86400000 FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await pool.query(
    `INSERT INTO activity_signal SELECT id, now() - random() * interval '1 day' FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await pool.query('VACUUM ANALYZE standing, activity_signal');
  await pool.end();
}

async function throughClient(): Promise<Result> {
  await seed();
  const dormouse = createDormouse({ temporal: stack.info.temporal, postgresUrl: stack.info.postgres.url });
  const next = draw();
  const startedAt = performance.now();
  const { latencies } = await timeRequests(requests.client, 1, () => dormouse.noteActivity(next()));
  // What is in memory is not recorded yet: the clock stops when it is.
  while (dormouse.counters().pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { signalled } = dormouse.counters();
  await dormouse.close();
  return resultOf('Dormouse (noteActivity)', requests.client, seconds, latencies, signalled);
}

async function byUpdate(): Promise<Result> {
  const pool = createPool({ url: stack.info.postgres.url, max: 20 });
  await pool.query(
    'CREATE TABLE baseline (identity_id uuid PRIMARY KEY, last_active_at timestamptz NOT NULL)',
  );
  await pool.query('INSERT INTO baseline SELECT id, now() FROM unnest($1::uuid[]) AS id', [ids]);
  const next = draw();
  const { latencies, seconds } = await timeRequests(requests.update, atATime, async () => {
    await pool.query('UPDATE baseline SET last_active_at = now() WHERE identity_id = $1', [next()]);
  });
  await pool.end();
  return resultOf('one UPDATE a request', requests.update, seconds, latencies, 0);
}

async function bySignal(): Promise<Result> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: stack.info.temporal.address });
  const worker = await Worker.create({
    connection,
    taskQueue: 'bench',
    workflowsPath: fileURLToPath(new URL('./sink-workflow.ts', import.meta.url)),
  });
  const running = worker.run();
  const client = new Client({
    connection: await Connection.connect({ address: stack.info.temporal.address }),
  });
  const next = draw();
  const { latencies, seconds } = await timeRequests(requests.signal, atATime, async () => {
    await client.workflow.signalWithStart('activitySink', {
      workflowId: `bench/${next()}`,
      taskQueue: 'bench',
      args: [0],
      signal: 'userActivity',
      signalArgs: [{ at: Date.now() }],
    });
  });
  worker.shutdown();
  await running;
  await connection.close();
  return resultOf('one signal a request', requests.signal, seconds, latencies, requests.signal);
}

function resultOf(
  name: string,
  count: number,
  seconds: number,
  latencies: Float64Array,
  signals: number,
): Result {
  return {
    name,
    requests: count,
    perSecond: Math.round(count / seconds),
    signals,
    ...percentiles(latencies),
  };
}

/** Tables and indexes, for one identity with one kind of activity. */
async function bytesInPostgres(): Promise<number> {
  const pool = createPool({ url: stack.info.postgres.url, max: 1 });
  let bytes = 0;
  for (const table of ['identity_activity', 'activity_signal']) {
    await pool.query(`VACUUM ${table}`);
    const found = await pool.query<{ bytes: string; rows: string }>(
      `SELECT pg_total_relation_size('${table}') AS bytes, (SELECT count(*) FROM ${table}) AS rows`,
    );
    bytes += Number(found.rows[0]?.bytes ?? 0) / Number(found.rows[0]?.rows ?? 1);
  }
  await pool.end();
  return Math.round(bytes);
}

/** Heap for one identity that waits in memory, as while PostgreSQL is away. */
function heapPerPending(): number | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  const waiting = createDormouse({
    temporal: stack.info.temporal,
    postgresUrl: 'postgres://127.0.0.1:1/none',
    batchMs: 3_600_000,
    maxPending: identities,
  });
  gc();
  const before = process.memoryUsage().heapUsed;
  for (const id of ids) waiting.noteActivity(id);
  gc();
  return Math.round((process.memoryUsage().heapUsed - before) / identities);
}

function print(results: readonly Result[], bytes: number, heap: number | undefined): void {
  const [client, ...baselines] = results;
  if (client === undefined) return;
  console.log(
    `\n${identities.toLocaleString('en')} identities, Zipf exponent ${exponent}; ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`,
  );
  console.log('| way | requests | requests/s | p50 µs | p99 µs | signals per request |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const row of results) {
    const share = row.signals === 0 ? '0' : (row.signals / row.requests).toPrecision(2);
    console.log(
      `| ${row.name} | ${row.requests} | ${row.perSecond} | ${row.p50Us} | ${row.p99Us} | ${share} |`,
    );
  }
  for (const row of baselines) {
    console.log(
      `\nAgainst ${row.name}: ${(client.perSecond / row.perSecond).toFixed(1)} times the requests, p50 ${(row.p50Us / Math.max(0.1, client.p50Us)).toFixed(0)} times shorter.`,
    );
  }
  console.log(
    `\n${bytes} bytes an identity in PostgreSQL; ${heap ?? 'unknown'} bytes of heap for one that waits in memory.`,
  );
}
