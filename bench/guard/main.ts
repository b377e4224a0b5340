/**
 * `npm run bench:guard`: what the session guard adds to a request. One run asks the same Fastify app without and with the guard, in
 * turns. Prints Markdown.
 */
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import Fastify, { type FastifyInstance } from 'fastify';
import { startStack } from '../../dev/stack/index.js';
import { idleSessions } from '../../src/middleware/idle-sessions/fastify.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { percentiles, timeRequests } from '../activity/latencies.js';
import { seeded } from '../activity/zipf.js';
import { startWhoami, tokenOf } from './whoami.js';

const sessions = Number(process.env.DORMOUSE_BENCH_SESSIONS ?? 100_000);
const decisions = 200_000;
const rounds = 30;
const requestsOfRound = 2_000;
const atATime = 16;

const stack = await startStack({
  dataDirectory: tmpdir(),
  ephemeral: true,
  worker: false,
  gateway: false,
  report: (line) => console.error(line),
});
const whoami = await startWhoami();
try {
  const { url } = stack.info.postgres;
  await migrate(url);
  const pool = createPool({ url });
  const plain = Fastify();
  const guarded = Fastify();
  await guarded.register(idleSessions, {
    postgresUrl: url,
    kratos: { publicUrl: whoami.url },
    policy: { idle: '30m', absolute: '12h', renewal: 'requests' },
    // Kratos is asked once a session, so that the guard is measured and not the benchmark's own whoami.
    verifyMs: 3_600_000,
    verifyTimeoutMs: 60_000,
    cacheEntries: sessions + 1,
  });
  for (const app of [plain, guarded]) app.get('/', () => ({ hello: 'world' }));
  await Promise.all([plain.ready(), guarded.ready()]);
  const headersOf = (index: number) => ({ 'x-session-token': tokenOf(index) });

  const { seconds: warmUp } = await timeRequests(sessions, 64, async (index) => {
    const decision = await guarded.idleSessions.decide({ headers: headersOf(index), path: '/' });
    if (decision.kind !== 'live') throw new Error(`session ${index} is ${decision.kind}`);
  });
  console.error(`${sessions} sessions are known, after ${Math.round(warmUp)} s`);

  const random = seeded(7);
  const draw = () => Math.floor(random() * sessions);
  const cached = await timeRequests(decisions, 1, async () => {
    await guarded.idleSessions.decide({ headers: headersOf(draw()), path: '/' });
  });

  const writtenBefore = await updates();
  const startedAt = performance.now();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const order: [FastifyInstance, FastifyInstance] = round % 2 === 0 ? [plain, guarded] : [guarded, plain];
    const seconds = new Map<FastifyInstance, number>();
    for (const app of order) {
      const took = await timeRequests(requestsOfRound, atATime, async () => {
        const { statusCode } = await app.inject({
          url: '/',
          headers: { ...headersOf(draw()), 'x-round': `${round}` },
        });
        if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      });
      seconds.set(app, took.seconds);
    }
    ratios.push((seconds.get(plain) ?? 0) / (seconds.get(guarded) ?? 1));
  }
  const windows = Math.ceil((performance.now() - startedAt) / 60_000);
  await guarded.close();
  const written = (await updates()) - writtenBefore;
  const { p50Us, p99Us } = percentiles(cached.latencies);
  const sorted = ratios.sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3);
  console.log(`
${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}; load ${loadavg()[0]?.toFixed(1)}

| ${sessions.toLocaleString('en')} live sessions | |
| --- | ---: |
| decision from the cache, p50 µs (N = ${decisions}) | ${p50Us} |
| decision from the cache, p99 µs | ${p99Us} |
| requests a second with the guard, of those without it: median of ${rounds} rounds | ${at(0.5)} |
| middle half of the rounds | ${at(0.25)} to ${at(0.75)} |
| presences written in ${windows} window(s) of a minute, of ${(rounds * requestsOfRound).toLocaleString('en')} requests | ${written} |
`);
  await pool.end();

  async function updates(): Promise<number> {
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ n: string }>(
      "SELECT n_tup_upd AS n FROM pg_stat_user_tables WHERE relname = 'idle_session'",
    );
    return Number(rows[0]?.n ?? 0);
  }
} finally {
  whoami.close();
  await stack.stop();
}
