/**
 * `npm run bench:lifecycle`: bursts of deactivations with one common deadline, beside what Temporal itself takes (the floor) and what a daily
 * sweep without workflows takes (cron), all in one run on one stack. Prints Markdown.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { type RunningStack, startStack } from '../../dev/stack/index.js';
import { dayMs } from '../../src/domain/duration.js';
import { createOryClients } from '../../src/ory/clients.js';
import { createPool } from '../../src/postgres/pool.js';
import { enrol, returnsOf, tripsOf, untilIn, watchBurst } from './burst.js';
import { measureCron } from './cron.js';
import { type Burst, quantile, seconds, startAll } from './figures.js';
import { measureFloor } from './floor.js';

/** Identities of each burst, one burst after the other. */
const bursts = (process.env.BENCH_BURSTS ?? '50,100').split(',').map(Number);
const returners = Number(process.env.BENCH_RETURNS ?? 5);
/** Between the last enrolment and the deadline: the notice is given meanwhile. */
const quietMs = Number(process.env.BENCH_QUIET_SECONDS ?? 60) * 1_000;
/** How long before the deadline the notice is given. */
const noticeMs = Math.floor(quietMs / 2_000) * 1_000;
/** What an enrolment is reckoned with, so that the deadline comes after all of them, milliseconds. */
const enrolmentMs = 100;
const policy = `id: burst
allowShortDurations: true
ladder:
  warn: { after: 10d }
  deactivate: { after: 30d, notices: [${noticeMs / 1_000}s], noticeFloor: 1s, withoutNotice: proceed }
breaker:
  limits:
    deactivate: { atMost: none, percent: 100 }
recheck: 1d
retry: { attempts: 40, firstAfter: 1s, longestAfter: 1h }
`;
if (bursts.some((count) => !Number.isInteger(count) || count < 1)) {
  throw new Error('BENCH_BURSTS must be whole numbers from 1, comma-separated, as 1000,10000');
}

const directory = await mkdtemp(join(tmpdir(), 'dormouse-bench-'));
const policyFile = join(directory, 'burst.yaml');
await writeFile(policyFile, policy);
const stack = await startStack({
  dataDirectory: directory,
  ephemeral: true,
  gateway: false,
  policyFile,
  extraEnvironment: { DORMOUSE_RECONCILE_EVERY: 'off', DORMOUSE_LOG_LEVEL: 'warn' },
  report: (line) => console.error(line),
});
try {
  await measure(stack);
} finally {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
}

async function measure({ info, environment }: RunningStack): Promise<void> {
  const connection = await Connection.connect({ address: info.temporal.address });
  const client = new Client({ connection, namespace: info.temporal.namespace });
  const pool = createPool({ url: info.postgres.url });
  const kratosUrl = new URL(info.postgres.url);
  kratosUrl.pathname = '/kratos';
  const kratosPool = createPool({ url: kratosUrl.href });
  const people = new OryPeople(info);
  const ory = createOryClients({ kratosAdminUrl: info.kratos.adminUrl, hydraAdminUrl: info.hydra.adminUrl });
  const parts = { client, pool, taskQueue: environment.DORMOUSE_TASK_QUEUE ?? 'dormouse', policyId: 'burst' };

  const date = (ids: readonly string[], at: number) =>
    kratosPool.query(
      'UPDATE identities SET created_at = $2, state_changed_at = $2 WHERE id = ANY($1::uuid[])',
      [ids, new Date(at)],
    );
  const create = async (count: number) => {
    const ids: string[] = [];
    await startAll(Array.from({ length: count }), async () => {
      ids.push((await people.create('burst', { hasAddress: false })).id);
    });
    return ids;
  };
  const cronOf = async (count: number) => {
    await pool.query('DROP TABLE IF EXISTS cron_user');
    return measureCron(pool, ory, await create(count));
  };

  const rows: string[] = [];
  for (const count of bursts) {
    const floor = await measureFloor(client, info.temporal.address, count, deadlineFor(count));
    rows.push(row('floor: an empty workflow and activity', floor, floor));
    rows.push(row('cron', await cronOf(count), floor));
    const all = count + returners;
    const ids = await create(all);
    const deadline = deadlineFor(all);
    const [back, away] = [ids.slice(0, returners), ids.slice(returners)];
    await date(away, deadline - 30 * dayMs);
    await date(back, deadline - 20 * dayMs);
    const enrolled = await enrol(parts, ids);
    await untilIn(pool, 'warned', ids);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline - Date.now())));
    const [burst, took] = await Promise.all([
      watchBurst(parts, away, deadline, enrolled),
      returnsOf(parts, back),
    ]);
    rows.push(row('Dormouse', burst, floor));
    const life = await tripsOf(client, away[0] ?? '');
    console.error(`returns: p50 ${seconds(quantile(took, 0.5))} s, p99 ${seconds(quantile(took, 0.99))} s`);
    console.error(`a life: ${life.events} events, activities ${JSON.stringify(life.activities)}`);
    rows.push(
      `| returns in the burst of ${count} | ${took.length} | | | | ${seconds(quantile(took, 0.5))} | ${seconds(quantile(took, 0.99))} |`,
    );
  }
  console.log('| what | identities | started/s | acts/s | to the floor | p50 s late | p99 s late |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const one of rows) console.log(one);
  console.log(`\n${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`);
  await Promise.all([pool.end(), kratosPool.end(), connection.close()]);
}

function deadlineFor(count: number): number {
  return Date.now() + count * enrolmentMs + quietMs;
}

function row(what: string, burst: Burst, floor: Burst): string {
  const started = Number.isNaN(burst.startedPerSecond) ? '' : burst.startedPerSecond.toFixed(1);
  const ratio = (burst.actsPerSecond / floor.actsPerSecond).toFixed(2);
  return `| ${what} | ${burst.count} | ${started} | ${burst.actsPerSecond.toFixed(1)} | ${ratio} | ${seconds(burst.p50)} | ${seconds(burst.p99)} |`;
}
