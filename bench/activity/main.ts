/**
 * `npm run bench:activity`: what it costs to know who is alive. One run asks the same app over HTTP without and with the
 * middleware, in turns, and with two baselines: one UPDATE a request, one signal a request. Prints Markdown.
 */
import { cpus, tmpdir, totalmem } from 'node:os';
import { type StackInfo, startStack } from '../../dev/stack/index.js';
import { createDormouse } from '../../src/client/direct.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { type AppState, type ServedWay, servedWays, type Way } from './app-messages.js';
import { AppProcess } from './app-process.js';
import { v4Of } from './identities.js';
import { startIssuer } from './issuer.js';
import { type Percentiles, percentiles, timeRequests } from './latencies.js';
import { seeded, zipf } from './zipf.js';

const identities = 100_000;
const exponent = 1.07;
/** Kept-alive connections, each with one request under way: as many as saturate the app, and few for its latency. */
const connections = { throughput: 16, latency: 2 };
/** Rounds in which all ways are asked in turns, so that whatever else the machine does meets them alike. */
const rounds = 12;
const requests = { round: 500, warmUp: 500, throughput: 40_000, signals: 3_000, inProcess: 500_000 };

interface Measured {
  readonly way: ServedWay;
  /** Round by round, with few connections. */
  readonly latencies: Percentiles[];
  readonly requests: number;
  readonly perSecond: number;
  readonly state: AppState;
}

const names: Readonly<Record<ServedWay, string>> = {
  plain: 'nobody is told',
  verified: 'verified, nobody is told',
  middleware: 'Dormouse (middleware)',
  update: 'one UPDATE a request',
  signal: 'one signal a request',
};

const ids = Array.from({ length: identities }, (_, rank) => v4Of(rank));
const stack = await startStack({
  dataDirectory: tmpdir(),
  ephemeral: true,
  worker: false,
  gateway: false,
  report: (line) => console.error(line),
});
const issuer = await startIssuer();
try {
  await migrate(stack.info.postgres.url);
  await seed(stack.info);
  const measured = await measure(await drawTokens());
  print(measured, await inProcess(), await bytesInPostgres(), heapPerPending());
} finally {
  issuer.close();
  await stack.stop();
}

function draw(): () => string {
  const next = zipf(identities, exponent, seeded(42));
  return () => ids[next()] ?? '';
}

/** Everybody is enrolled, at the bottom of the ladder, and was last told at some moment of the past day. */
async function seed({ postgres }: StackInfo): Promise<void> {
  const pool = createPool({ url: postgres.url, statementTimeoutMs: 120_000 });
  await pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, off_bottom, signal_window_ms)
     SELECT id, 'active', now(), now(), '{}', 1, now(), false, 86400000 FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await pool.query(
    `INSERT INTO activity_signal (identity_id, signalled_at)
     SELECT id, now() - random() * interval '1 day' FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await pool.query(
    'CREATE TABLE baseline (identity_id uuid PRIMARY KEY, last_active_at timestamptz NOT NULL)',
  );
  await pool.query('INSERT INTO baseline SELECT id, now() FROM unnest($1::uuid[]) AS id', [ids]);
  await pool.query('VACUUM ANALYZE standing, activity_signal, baseline');
  await pool.end();
}

/** The same requests for every way: the token of request 0, 1, and so on. */
async function drawTokens(): Promise<string[]> {
  const next = draw();
  const drawn = Array.from({ length: requests.throughput }, next);
  const signed = await issuer.sign(new Set(drawn));
  return drawn.map((id) => signed.get(id) ?? '');
}

function start(way: Way): Promise<AppProcess> {
  const { temporal, postgres } = stack.info;
  return AppProcess.start(
    { way, postgresUrl: postgres.url, temporalAddress: temporal.address, tokens: issuer.tokens },
    connections.throughput,
  );
}

async function measure(tokens: readonly string[]): Promise<Measured[]> {
  const sink = await start('sink');
  const apps: { way: ServedWay; app: AppProcess; latencies: Percentiles[] }[] = [];
  for (const way of servedWays) apps.push({ way, app: await start(way), latencies: [] });
  for (let round = -1; round < rounds; round += 1) {
    // The first one warms up. The order turns, so that nobody always comes after the same.
    const part = tokens.slice((round + 1) * requests.round, (round + 2) * requests.round);
    for (const index of apps.keys()) {
      const asked = apps[(index + round + 1) % apps.length];
      if (asked === undefined) continue;
      const { latencies } = await ask(asked.app, part, connections.latency);
      if (round >= 0) asked.latencies.push(percentiles(latencies));
      await drained(asked.app);
    }
  }
  const measured: Measured[] = [];
  for (const { way, app, latencies } of apps) {
    const part = way === 'signal' ? tokens.slice(0, requests.signals) : tokens;
    const { seconds } = await ask(app, part, connections.throughput);
    // The clock stops when everything is in PostgreSQL.
    const perSecond = Math.round(part.length / (seconds + (await drained(app))));
    const state = await app.state('memory');
    await app.stop();
    measured.push({ way, latencies, requests: part.length, perSecond, state });
  }
  await sink.stop();
  return measured;
}

function ask(app: AppProcess, tokens: readonly string[], atATime: number) {
  return timeRequests(tokens.length, atATime, (index) => app.request(tokens[index] ?? ''));
}

/** @returns the seconds until nothing waits in memory any more */
async function drained(app: AppProcess): Promise<number> {
  const startedAt = performance.now();
  while ((await app.state('pending')).pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return (performance.now() - startedAt) / 1_000;
}

/** The call alone, without HTTP and without verifying anybody. */
async function inProcess(): Promise<Percentiles & { readonly perSecond: number }> {
  const dormouse = createDormouse({ temporal: stack.info.temporal, postgresUrl: stack.info.postgres.url });
  const next = draw();
  const startedAt = performance.now();
  const { latencies } = await timeRequests(requests.inProcess, 1, () => dormouse.noteActivity(next()));
  while (dormouse.counters().pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - startedAt) / 1_000;
  await dormouse.close();
  return { ...percentiles(latencies), perSecond: Math.round(requests.inProcess / seconds) };
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

function print(
  measured: readonly Measured[],
  call: Percentiles & { readonly perSecond: number },
  bytes: number,
  heap: number | undefined,
): void {
  const of = (way: ServedWay) => measured.find((one) => one.way === way);
  const plain = of('plain')?.latencies ?? [];
  console.log(
    `\n${identities.toLocaleString('en')} identities, Zipf exponent ${exponent}; latency with ${connections.latency} connections, in ${rounds} rounds of ${requests.round} requests; requests/s with ${connections.throughput}; ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`,
  );
  console.log(
    '| way | p50 µs | p99 µs | added p50 µs | added p99 µs | requests | requests/s | signals per event | RSS MB | heap MB |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const { way, latencies, requests: count, perSecond, state } of measured) {
    const added = (pick: (one: Percentiles) => number) =>
      way === 'plain' ? '' : spread(latencies.map((one, round) => pick(one) - pick(plain[round] ?? one)));
    const cells = [
      names[way],
      median(latencies.map(({ p50Us }) => p50Us)),
      median(latencies.map(({ p99Us }) => p99Us)),
      added(({ p50Us }) => p50Us),
      added(({ p99Us }) => p99Us),
      count,
      perSecond,
      way === 'middleware' || way === 'signal' ? (state.signalled / state.noted).toPrecision(2) : '',
      megabytes(state.rssBytes),
      megabytes(state.heapBytes),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  for (const other of ['update', 'signal', 'verified', 'plain'] as const) {
    const ratio = (of('middleware')?.perSecond ?? 0) / (of(other)?.perSecond ?? 1);
    console.log(`\nAgainst "${names[other]}": ${ratio.toFixed(2)} times the requests a second.`);
  }
  console.log(
    `\nThe call alone: ${call.perSecond} a second, p50 ${call.p50Us} µs, p99 ${call.p99Us} µs.\n${bytes} bytes an identity in PostgreSQL; ${heap ?? 'unknown'} bytes of heap for one that waits in memory.`,
  );
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function median(values: readonly number[], share = 0.5): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
}

/** Median, and the middle half of the rounds. */
function spread(values: readonly number[]): string {
  return `${median(values)} (${median(values, 0.25)} to ${median(values, 0.75)})`;
}
