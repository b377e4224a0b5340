/**
 * `npm run bench:breaker`: how many acts the breaker lets through a second, as it answers now and as it did before, in turns, with
 * nothing in the window and with a day's backlog in it. Prints Markdown.
 */
import { randomUUID } from 'node:crypto';
import { cpus, loadavg, tmpdir } from 'node:os';
import pLimit from 'p-limit';
import type pg from 'pg';
import { startStack } from '../../dev/stack/index.js';
import { type BreakerRequest, createBreakerActivities } from '../../src/activities/breaker.js';
import { createClockWitness } from '../../src/breaker/clock-witness.js';
import { dayMs } from '../../src/domain/duration.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { systemClock } from '../../src/process/clock.js';
import { passFormerly } from './former.js';

const identities = 100_000;
const atOnce = 40;
/** Acts that the former way is asked for, at most. */
const formerly = 300;
/** As the worker has. */
const connections = 20;
const limit = { atMost: 1_000_000, percent: 100 };
const rules = {
  windowMs: dayMs,
  limits: {
    ...{ revoke: limit, deactivate: limit, delete: limit, bury: limit },
    ...{ endPersonal: limit, endRefresh: limit },
  },
  percentFrom: 1_000_000,
  operators: 1,
  stall: { windowMs: dayMs, baselineMs: 14 * dayMs, belowPercent: 20 },
  clockToleranceMs: 300_000,
};

const stack = await startStack({
  dataDirectory: tmpdir(),
  ephemeral: true,
  worker: false,
  gateway: false,
  report: (line) => console.error(line),
});
try {
  await migrate(stack.info.postgres.url);
  const pool = createPool({ url: stack.info.postgres.url, max: connections, statementTimeoutMs: 120_000 });
  await seed(pool);
  console.log('| acts asked for | grants in the window before | before: grants/s | now: grants/s | ratio |');
  console.log('| ---: | ---: | ---: | ---: | ---: |');
  for (const [acts, backlog] of [
    [1_000, 0],
    [10_000, 0],
    [1_000, 50_000],
    [10_000, 50_000],
  ] as const) {
    const witness = createClockWitness(pool);
    // It is slow, and as slow for the first few as for many.
    const before = await perSecond(pool, Math.min(acts, formerly), backlog, (request) =>
      passFormerly(pool, witness, request),
    );
    const { passBreaker } = createBreakerActivities({
      pool,
      clock: systemClock,
      witness: createClockWitness(pool),
    });
    const now = await perSecond(
      pool,
      acts,
      backlog,
      async (request) => (await passBreaker(request)).outcome === 'granted',
    );
    const columns = [acts, backlog, Math.round(before), Math.round(now), (now / before).toFixed(1)];
    console.log(`| ${columns.map((value) => value.toLocaleString('en')).join(' | ')} |`);
  }
  console.log(
    `\n${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, ${identities} identities, ${atOnce} at once`,
  );
  await pool.end();
} finally {
  await stack.stop();
}

/** Identities, and a feed of a fortnight that is sound. */
async function seed(pool: pg.Pool): Promise<void> {
  await pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, off_bottom, signal_window_ms)
     SELECT gen_random_uuid(), 'active', now(), now(), '{}', 1, now(), false, 86400000 FROM generate_series(1, $1::int)`,
    [identities],
  );
  await pool.query(
    `INSERT INTO activity_feed (hour, signs)
     SELECT date_trunc('hour', now()) - n * interval '1 hour', 1000 FROM generate_series(0, 15 * 24) AS n`,
  );
  await pool.query('VACUUM ANALYZE standing');
}

async function perSecond(
  pool: pg.Pool,
  acts: number,
  backlog: number,
  pass: (request: BreakerRequest) => Promise<boolean>,
): Promise<number> {
  await pool.query('TRUNCATE breaker_grant');
  await pool.query(
    `INSERT INTO breaker_grant (act_key, action, identity_id, granted_at)
     SELECT 'backlog/' || n, 'revoke', gen_random_uuid(), now() - n * interval '1.7 seconds' FROM generate_series(1, $1::int) AS n`,
    [backlog],
  );
  await pool.query('VACUUM ANALYZE breaker_grant');
  const room = pLimit(atOnce);
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: acts }, () =>
      room(() =>
        pass({
          key: randomUUID(),
          identityId: randomUUID(),
          action: 'revoke',
          rules,
          decidedAt: Date.now(),
        }),
      ),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  if (answers.includes(false)) throw new Error('the breaker held an act: the measurement says nothing');
  return acts / seconds;
}
