/**
 * `npm run bench:rollout`: how many of 100,000 sleepers a roll-out touches where one in a hundred is due earlier by the new
 * version. Real: the activity `wakeEarlier` with its rules, pages and pace, PostgreSQL with the projection, both policies.
 * Not there: Temporal and the lifecycles (signals are counted), and Kratos (a server here answers for it). Prints Markdown.
 */
import { randomBytes } from 'node:crypto';
import { cpus, loadavg, tmpdir } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import pLimit from 'p-limit';
import pg from 'pg';
import { startStack } from '../../dev/stack/index.js';
import { createRolloutActivities } from '../../src/activities/rollout.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { createKratosClient } from '../../src/ory/clients.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { publishPolicy } from '../../src/policies/publication.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { systemClock } from '../../src/process/clock.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { noRolloutCounts, type RolloutPosition } from '../../src/workflows/rollout-messages.js';
import { startKratos } from './kratos.js';
import { asleep, idOf, isAdmin, policyText } from './people.js';
import { lateOnes } from './verify.js';

const people = Number(process.env.BENCH_PEOPLE ?? 100_000);
/** Far above the usual 20, so that reading is measured and not the pace. */
const perSecond = 1_000;
const connections = 20;
const policyId = 'rolled';

const server = process.env.BENCH_POSTGRES_URL;
const stack =
  server === undefined
    ? await startStack({
        dataDirectory: tmpdir(),
        ephemeral: true,
        worker: false,
        gateway: false,
        report: (line) => console.error(line),
      })
    : undefined;
const name = `bench_${randomBytes(4).toString('hex')}`;
const admin = new pg.Client({ connectionString: server ?? stack?.info.postgres.url });
const now = Date.now();
const kratos = await startKratos(now);
try {
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(server ?? stack?.info.postgres.url ?? '');
  url.pathname = `/${name}`;
  await migrate(url.href);
  const pool = createPool({ url: url.href, max: connections, statementTimeoutMs: 120_000 });
  await measure(pool);
  await pool.end();
} finally {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.end();
  await kratos.close();
  await stack?.stop();
}

async function measure(pool: pg.Pool): Promise<void> {
  const policies = new PolicyReader(pool);
  await publishVersion(pool, '30d', 0);
  const inForce = await policies.read(policyId, 1);
  // They fell asleep before the publication: nobody looked meanwhile.
  const writtenAt = now - 3_600_000;
  const limit = pLimit(connections);
  const indexes = Array.from({ length: people }, (_, index) => index);
  await Promise.all(
    indexes.map((index) => limit(() => writeStanding(pool, asleep(index, inForce, now), writtenAt))),
  );
  await pool.query('ANALYZE standing');
  await publishVersion(pool, '15d', 1);

  const woken: string[] = [];
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const position = await rollOut(pool, policies, (workflowId) => woken.push(workflowId));
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);

  const admins = new Set(indexes.filter(isAdmin).map((index) => lifecycleWorkflowId(idOf(index))));
  const isExactly = woken.length === admins.size && woken.every((workflowId) => admins.has(workflowId));
  const late = await lateOnes(pool, policies, { policyId, now, identities: createKratos() });
  const { seen, earlier } = position.counts;
  console.log('| sleepers | due earlier | woken | share | requests to Kratos | s | s of processor |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  console.log(
    `| ${seen} | ${earlier} | ${woken.length} | ${((100 * woken.length) / people).toFixed(2)} % | ${kratos.requests()} | ${seconds.toFixed(1)} | ${((cpu.user + cpu.system) / 1e6).toFixed(1)} |`,
  );
  console.log(`\nWoken are exactly those who are due earlier: ${isExactly}.`);
  console.log(`Asleep past a step of the new version, of those who were not woken: ${late}.`);
  console.log(`\n${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`);
  if (!isExactly || late > 0) process.exitCode = 1;
}

function createKratos() {
  return createKratosClient(kratos.url, { timeoutMs: 60_000 });
}

async function publishVersion(pool: pg.Pool, adminWarn: string, expected: number): Promise<void> {
  const text = policyText(policyId, adminWarn);
  const decision = { actor: 'bench', reason: 'bench', at: Date.now(), expected };
  await publishPolicy(pool, { text, file: 'bench' }, decision);
}

/** As the workflow does it, without the quarter of an hour before the last phase. */
async function rollOut(
  pool: pg.Pool,
  policies: PolicyReader,
  onSignal: (workflowId: string) => void,
): Promise<RolloutPosition> {
  // A client that counts signals where it would send them.
  const client = new Client({
    connection: Connection.lazy({ address: '127.0.0.1:1' }),
    interceptors: {
      workflow: [{ signal: async ({ workflowExecution }) => onSignal(workflowExecution.workflowId ?? '') }],
    },
  });
  const environment = new MockActivityEnvironment({}, { client });
  const { wakeEarlier } = createRolloutActivities({
    ...{ identities: createKratos(), pool, policies, clock: systemClock },
  });
  let position: RolloutPosition = { place: { phase: 'urgent' }, counts: noRolloutCounts };
  while (position.place.phase !== 'done') {
    position = await environment.run(wakeEarlier, {
      ...{ policyId, version: 2, startedAt: now, position, perSecond, forMs: 60_000 },
    });
  }
  return position;
}
