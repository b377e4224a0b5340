/**
 * `npm run bench:guard`: what the session guard adds to a request. One run asks the same Fastify app without and with the guard, in
 * turns. Prints Markdown.
 */
import { Agent, request } from 'node:http';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import Fastify, { type FastifyInstance } from 'fastify';
import { startStack } from '../../dev/stack/index.js';
import { idleSessions } from '../../src/middleware/idle-sessions/fastify.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { percentiles, timeRequests } from '../activity/latencies.js';
import { seeded } from '../activity/zipf.js';
import { printTokenGuards } from './tokens.js';
import { startWhoami, tokenOf } from './whoami.js';

const sessions = Number(process.env.DORMOUSE_BENCH_SESSIONS ?? 100_000);
const decisions = 200_000;
const rounds = 30;
const requestsOfRound = 2_000;
const atATime = 16;
/** Each makes about forty requests in a window. */
const usualSessions = 1_500;

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
  const guardedBy = async (renewal: 'requests' | 'presence') => {
    const app = Fastify();
    await app.register(idleSessions, {
      postgresUrl: url,
      kratos: { publicUrl: whoami.url },
      policy: { idle: '30m', absolute: '12h', renewal },
      // Kratos is asked once a session, so that the guard is measured and not the benchmark's own whoami.
      verifyMs: 3_600_000,
      verifyTimeoutMs: 60_000,
      cacheEntries: sessions + 1,
    });
    return app;
  };
  const guarded = await guardedBy('requests');
  // As where the browser library tells of presence: a request renews nothing, and waits for no write.
  const reading = await guardedBy('presence');
  const apps = [plain, guarded, reading];
  for (const app of apps) app.get('/', () => ({ hello: 'world' }));
  await Promise.all(apps.map((app) => app.ready()));
  const headersOf = (index: number) => ({ 'x-session-token': tokenOf(index) });

  const { seconds: warmUp } = await timeRequests(sessions, 64, async (index) => {
    const decision = await guarded.idleSessions.decide({ headers: headersOf(index), path: '/' });
    if (decision.kind !== 'live') throw new Error(`session ${index} is ${decision.kind}`);
  });
  for (let index = 0; index < usualSessions; index += 1)
    await reading.idleSessions.decide({ headers: headersOf(index), path: '/' });
  console.error(`${sessions} sessions are known, after ${Math.round(warmUp)} s`);

  const random = seeded(7);
  const draw = () => Math.floor(random() * sessions);
  const cached = await timeRequests(decisions, 1, async () => {
    await guarded.idleSessions.decide({ headers: headersOf(draw()), path: '/' });
  });

  const urls = new Map<FastifyInstance, string>();
  for (const app of apps) urls.set(app, await app.listen({ host: '127.0.0.1', port: 0 }));
  const agent = new Agent({ keepAlive: true, maxSockets: atATime });
  const get = (app: FastifyInstance, index: number) =>
    new Promise<void>((resolve, reject) => {
      request(`${urls.get(app)}/`, { agent, headers: headersOf(index) }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
        response.resume().once('end', resolve);
      })
        .once('error', reject)
        .end();
    });
  /** @returns sorted ratios of the rounds: requests a second with the guard to those without it */
  const compare = async (app: FastifyInstance, among: number): Promise<number[]> => {
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? [plain, app] : [app, plain];
      const seconds = new Map<FastifyInstance, number>();
      for (const asked of order) {
        const took = await timeRequests(requestsOfRound, atATime, () =>
          get(asked, Math.floor(random() * among)),
        );
        seconds.set(asked, took.seconds);
      }
      ratios.push((seconds.get(plain) ?? 0) / (seconds.get(app) ?? 1));
    }
    return ratios.sort((one, other) => one - other);
  };
  const unrenewed = await compare(reading, usualSessions);
  const usual = await compare(guarded, usualSessions);
  const writtenBefore = await updates();
  const startedAt = performance.now();
  const worst = await compare(guarded, sessions);
  const windows = Math.ceil((performance.now() - startedAt) / 60_000);
  agent.destroy();
  await Promise.all(apps.map((app) => app.close()));
  const written = (await updates()) - writtenBefore;
  const { p50Us, p99Us } = percentiles(cached.latencies);
  const at = (ratios: readonly number[], share: number) =>
    (ratios[Math.floor(ratios.length * share)] ?? 0).toFixed(3);
  const row = (ratios: readonly number[]) =>
    `${at(ratios, 0.5)} (${at(ratios, 0.25)} to ${at(ratios, 0.75)})`;
  console.log(`
${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}; load ${loadavg()[0]?.toFixed(1)}

| ${sessions.toLocaleString('en')} live sessions | |
| --- | ---: |
| decision from the cache, p50 µs (N = ${decisions}) | ${p50Us} |
| decision from the cache, p99 µs | ${p99Us} |
| requests a second over HTTP, of those without the guard: median of ${rounds} rounds (middle half); ${usualSessions} sessions take turns | ${row(usual)} |
| the same, where requests renew nothing, as with the browser library | ${row(unrenewed)} |
| the same, where nearly each request is the first of its session in the window, so that it waits for its write | ${row(worst)} |
| presences written in ${windows} window(s) of a minute in that case, of ${(rounds * requestsOfRound).toLocaleString('en')} requests | ${written} |
`);
  await printTokenGuards(pool, url, sessions);
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
