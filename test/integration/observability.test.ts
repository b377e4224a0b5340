/** The real worker and the real gateway, observed as Prometheus and a container engine do. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { execa } from 'execa';
import { Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { ensurePromtool } from '../../dev/programs/promtool.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { createDormouse } from '../../src/client/direct.js';
import { exposeGuards } from '../../src/middleware/metrics.js';
import { latenessMetric } from '../../src/workflows/metric-names.js';
import { activityQueue } from '../../src/workflows/queues.js';
import { type EntryProcess, gatewayProcess, workerProcess } from '../support/entry-process.js';
import { type Page, parsePage, sampleValue } from '../support/prometheus-text.js';
import { readMetrics } from '../support/promql.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';

const stack = inject('stack');
const taskQueue = `observed-${randomUUID().slice(0, 8)}`;
const identityId = { value: '' };
const address = `${randomUUID()}@observed.test`;
let database: FreshDatabase;
let worker: EntryProcess;
let gateway: EntryProcess;
let workerUrl: string;
let gatewayUrl: string;

const urlOf = ({ said }: EntryProcess) =>
  /"metrics":"(http:[^"]+)"/.exec(said)?.[1] ?? expect.fail('it says no address');
const scrape = async (url: string): Promise<Page> => parsePage(await (await fetch(`${url}/metrics`)).text());

beforeAll(async () => {
  database = await openFreshDatabase();
  const environment = {
    ...inject('environment'),
    DORMOUSE_POSTGRES_URL: database.url,
    DORMOUSE_POSTGRES_MIGRATION_URL: '',
    DORMOUSE_TASK_QUEUE: taskQueue,
    DORMOUSE_METRICS_LISTEN: '0',
    DORMOUSE_WORKER_VERSIONING: 'off',
    DORMOUSE_GATEWAY_PORT: '0',
    DORMOUSE_OPERATORS_LISTEN: '127.0.0.1:0',
    DORMOUSE_POLICY_FILE: 'policies/demo.yaml',
    DORMOUSE_POLICY_ID: 'demo',
    DORMOUSE_MAIL_RATE: '7',
  };
  worker = workerProcess(environment);
  // A policy that is published later: its guard knows nothing yet.
  gateway = gatewayProcess({
    ...environment,
    DORMOUSE_POLICY_ID: 'later',
    DORMOUSE_SESSIONS_PAGE: 'on',
  });
  await worker.start();
  await gateway.start();
  workerUrl = urlOf(worker);
  gatewayUrl = urlOf(gateway);
});
afterAll(async () => {
  await worker?.stop();
  await gateway?.stop();
  await database?.close();
});

describe('/readyz', () => {
  it('of a worker that polls and a gateway with its database is 200', async () => {
    await until('the worker is ready', async () => (await fetch(`${workerUrl}/readyz`)).status === 200);
    expect(await (await fetch(`${gatewayUrl}/readyz`)).json()).toEqual({
      status: 'ready',
      causes: {},
      degraded: {},
    });
    expect((await fetch(`${gatewayUrl}/livez`)).status).toBe(200);
  });

  it('names a migration that the database lacks, and is 503 until it is there again', async () => {
    const gone = await database.pool.query(
      "DELETE FROM dormouse_migration WHERE name = '040_request_log' RETURNING name, run_on",
    );
    try {
      for (const url of [workerUrl, gatewayUrl]) {
        const text = await until('it is not ready', async () => {
          const answer = await fetch(`${url}/readyz`);
          return answer.status === 503 && answer.text();
        });
        expect(JSON.parse(text).causes.database).toBe(
          'the database lacks 040_request_log: run "dormouse database migrate"',
        );
      }
    } finally {
      const [row] = gone.rows;
      await database.pool.query('INSERT INTO dormouse_migration (name, run_on) VALUES ($1, $2)', [
        row.name,
        row.run_on,
      ]);
    }
    await until('the worker is ready again', async () => (await fetch(`${workerUrl}/readyz`)).status === 200);
  });
});

describe('DORMOUSE_MAIL_RATE', () => {
  it('is the rate of the queue of mails at Temporal, over all workers, and of no other queue', async () => {
    const connection = await Connection.connect({ address: stack.temporal.address });
    const rateOf = async (system: 'mail' | 'kratos') => {
      const { pollers } = await connection.workflowService.describeTaskQueue({
        namespace: stack.temporal.namespace,
        taskQueue: { name: activityQueue(taskQueue, system) },
        taskQueueType: 2,
      });
      return pollers?.map(({ ratePerSecond }) => ratePerSecond);
    };
    await until('the workers poll', async () => (await rateOf('mail'))?.length === 1);
    expect(await rateOf('mail')).toEqual([7]);
    // Its calls are paced one by one (docs/rates.md).
    expect(await rateOf('kratos')).toEqual([100_000]);
    await connection.close();
  });
});

describe('/metrics', () => {
  it('of a worker has the lateness of a deed, what was mailed, and identities by stage', async () => {
    const people = new OryPeople(stack);
    const person = await people.create('observed');
    identityId.value = person.id;
    const dormouse = createDormouse({
      temporal: stack.temporal,
      postgresUrl: database.url,
      taskQueue,
      policyId: 'demo',
    });
    try {
      await dormouse.enrol(person.id);
      const page = await until(
        'a deed was measured',
        async () => {
          const found = await scrape(workerUrl);
          return (sampleValue(found, `${latenessMetric}_count`, { kind: 'rung' }) ?? 0) > 0 && found;
        },
        { timeoutMs: 100_000, everyMs: 1_000 },
      );
      expect(sampleValue(page, `${latenessMetric}_sum`, { kind: 'rung' })).toBeLessThan(60);
      expect(sampleValue(page, 'dormouse_mails_total', { kind: 'warn', outcome: 'accepted' })).toBe(1);
      await until('the deed was recorded, and the population read', async () => {
        const found = await scrape(workerUrl);
        const event = 'inactivity_warned';
        const people = found.samples.filter(({ name, value }) => name === 'dormouse_identities' && value > 0);
        return sampleValue(found, 'dormouse_audit_events_total', { event }) === 1 && people.length === 1;
      });
    } finally {
      await dormouse.close();
    }
  });

  it('of a worker tells the backlog of every queue, the schedules and the pools', async () => {
    const page = await until('the figures were read', async () => {
      const found = await scrape(workerUrl);
      return (sampleValue(found, 'dormouse_database_figures_timestamp_seconds') ?? 0) > 0 && found;
    });
    for (const queue of ['workflows', 'kratos', 'hydra', 'mail', 'ledger', 'signals']) {
      expect(sampleValue(page, 'dormouse_task_queue_backlog', { queue }), queue).toBeGreaterThanOrEqual(0);
    }
    expect(sampleValue(page, 'dormouse_database_connections_max', { pool: 'activities' })).toBe(20);
    expect(sampleValue(page, 'dormouse_sdk_metrics_up')).toBe(1);
    expect(sampleValue(page, 'dormouse_breaker_trips', { scope: 'all' })).toBe(0);
  });

  it('of a gateway counts requests by route, and a path that no route has as none', async () => {
    const at = /"address":"(http:[^"]+)"/.exec(gateway.said)?.[1] ?? expect.fail('no address');
    await fetch(`${at}/healthz`);
    await fetch(`${at}/${identityId.value}/${address}`);
    const page = await until('both were counted', async () => {
      const found = await scrape(gatewayUrl);
      const isCounted = sampleValue(found, 'dormouse_http_request_duration_seconds_count', { route: 'none' });
      return isCounted !== undefined && found;
    });
    expect(
      sampleValue(page, 'dormouse_http_request_duration_seconds_count', { route: '/healthz', status: '2xx' }),
    ).toBeGreaterThan(0);
  });

  it("of a gateway with the page of a person's own sessions tells how old its knowledge of revocations is", async () => {
    const page = await scrape(gatewayUrl);
    const guard = 'sessions';
    expect(sampleValue(page, 'dormouse_guard_staleness_seconds', { guard })).toBeGreaterThanOrEqual(0);
    expect(sampleValue(page, 'dormouse_guard_unavailable_answers', { guard })).toBe(0);
  });

  it.each([
    'worker',
    'gateway',
  ] as const)('of a %s names each family with a help, and nobody', async (part) => {
    const page = await scrape(part === 'worker' ? workerUrl : gatewayUrl);
    const own = [...page.types.keys()].filter((name) => name.startsWith('dormouse_'));
    expect(own.length).toBeGreaterThan(3);
    for (const name of own) expect(page.helps.get(name), name).toBeTruthy();
    const labels = page.samples.flatMap((sample) => Object.values(sample.labels)).join('\n');
    expect(labels).not.toContain(identityId.value);
    expect(labels).not.toContain('@');
  });

  it('and an app with guards have every metric that an alert or the dashboard reads', async () => {
    const app = new Registry();
    exposeGuards(
      { Gauge, registry: app },
      { sessions: { counters: () => ({ staleMs: 0, unavailable: 0 }) } },
    );
    const pages = [await scrape(workerUrl), await scrape(gatewayUrl), parsePage(await app.metrics())];
    const known = new Set(pages.flatMap(({ samples }) => samples.map(({ name }) => name)));
    // A gauge whose labels have no value yet answers its description alone.
    for (const page of pages) {
      for (const [name, type] of page.types) if (type === 'gauge' && page.helps.has(name)) known.add(name);
    }
    expect(readMetrics().filter((name) => !known.has(name))).toEqual([]);
  });

  it('of the public port is not there', async () => {
    const at = /"address":"(http:[^"]+)"/.exec(gateway.said)?.[1] ?? expect.fail('no address');
    for (const path of ['/metrics', '/readyz', '/livez'])
      expect((await fetch(`${at}${path}`)).status).toBe(404);
  });
});

describe('promtool', () => {
  let promtool: string;
  beforeAll(async () => {
    promtool = await ensurePromtool();
  });

  it.each([
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ])('%s %s %s: holds', async (...args) => {
    const { exitCode, all } = await execa(promtool, args, {
      cwd: join(projectDirectory, 'deploy/prometheus'),
      all: true,
      reject: false,
    });
    expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
  });

  it('check metrics: reads the pages of worker and gateway, and finds no fault in a metric of Dormouse', async () => {
    for (const url of [workerUrl, gatewayUrl]) {
      const input = await (await fetch(`${url}/metrics`)).text();
      const { stderr, exitCode } = await execa(promtool, ['check', 'metrics'], { input, reject: false });
      // 3: a name is not as Prometheus likes it. Those of Temporal's SDK are not ours.
      expect([0, 3], stderr).toContain(exitCode);
      // Temporal's SDK gives that one its labels, as `taskQueue`.
      const ours = (line: string) =>
        line.includes('dormouse_') && !line.startsWith(`${latenessMetric} label`);
      expect(stderr.split('\n').filter(ours)).toEqual([]);
    }
  });

  it('check metrics: refuses a page that is none', async () => {
    const input = 'dormouse_identities{stage="active" 1\n';
    const { exitCode } = await execa(promtool, ['check', 'metrics'], { input, reject: false });
    expect(exitCode).toBe(1);
  });
});
