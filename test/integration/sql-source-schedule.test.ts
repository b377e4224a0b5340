import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { readConfig } from '../../src/config.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { sourceSchedules } from '../../src/sources/schedules.js';
import { parseSourceFile } from '../../src/sources/source-file.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { activityVariables, createActivitySet } from '../../src/worker/activity-set.js';
import { type RunningWorkers, startWorkers } from '../../src/worker/workers.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { slowPolicy } from '../support/system-outside.js';
import { pendingActivities } from '../support/under-way.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

const stack = inject('stack');
const taskQueue = `sources-${randomUUID().slice(0, 8)}`;
const sources = parseSourceFile(
  `sources:
  - name: app-audit
    connectionUrlVariable: APP_URL
    table: security_audit
    eventTypes: [login]
    kind: human
    pollEvery: 10s`,
  'sources.yaml',
);

let database: FreshDatabase;
let client: Client;
let native: NativeConnection;
let workers: RunningWorkers;
let closeActivities: () => void;

beforeAll(async () => {
  quietLog();
  const { address, namespace } = stack.temporal;
  database = await openFreshDatabase();
  await database.pool.query(
    'CREATE TABLE security_audit (identity_id uuid, created_at timestamptz, event_type text)',
  );
  await publish(database.pool, slowPolicy('corporate'));
  client = new Client({ connection: await Connection.connect({ address }), namespace });
  native = await NativeConnection.connect({ address });
  const config = readConfig(activityVariables, {
    ...inject('environment'),
    DORMOUSE_POSTGRES_URL: database.url,
    DORMOUSE_POLICY_ID: 'corporate',
  });
  const set = createActivitySet(
    config,
    database.pool,
    undefined,
    sources.map((source) => ({ source, connectionUrl: database.url })),
  );
  closeActivities = () => set.close();
  workers = await startWorkers({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundlePath') },
    activities: set.activities,
  });
});

afterAll(async () => {
  await sourceSchedules.sync(client, taskQueue, []);
  await workers.stop();
  closeActivities();
  await native.close();
  await client.connection.close();
  await database.close();
});

test('a sign-in in the app’s table enrols the identity under the configured policy, and its standing says when it was', async () => {
  const { id } = await new OryPeople(stack).create('audited');
  // After the identity's creation, before which no clock starts.
  const at = new Date();
  await database.pool.query('INSERT INTO security_audit VALUES ($1, $2, $3)', [id, at, 'login']);
  await sourceSchedules.sync(client, taskQueue, sources);
  // A second worker starts with the same file.
  await sourceSchedules.sync(client, taskQueue, sources);
  await client.schedule.getHandle(sourceSchedules.idOf(taskQueue, 'app-audit')).trigger();
  const standing = await until('standing', () => readStanding(database.pool, id));
  expect(standing).toMatchObject({ lastActiveAt: at.getTime(), policy: { id: 'corporate' } });
  await client.workflow.getHandle(lifecycleWorkflowId(id)).terminate('test ended');
});

test('a failing poll says why without quoting data, and continues when the table is mended', async () => {
  const { id } = await new OryPeople(stack).create('audited');
  const at = new Date();
  await database.pool.query('INSERT INTO security_audit VALUES ($1, $2, $3)', [id, at, 'login']);
  await database.pool.query('ALTER TABLE security_audit RENAME TO away');
  const workflow = await client.workflow.start('pollActivitySource', {
    workflowId: `poll-${randomUUID()}`,
    taskQueue,
    args: [{ schemaVersion: 1, source: 'app-audit' }],
  });
  const failure = await until(
    'a failed attempt',
    async () => (await pendingActivities(workflow))[0]?.lastFailure?.message ?? undefined,
  );
  expect(failure).toMatch(/42P01\. Check table and columns/);
  await database.pool.query('ALTER TABLE away RENAME TO security_audit');
  await workflow.result();
  const standing = await until('standing', () => readStanding(database.pool, id));
  expect(standing.lastActiveAt).toBe(at.getTime());
  await client.workflow.getHandle(lifecycleWorkflowId(id)).terminate('test ended');
});

test('a source that is taken out of the file is polled no more', async () => {
  await sourceSchedules.sync(client, taskQueue, []);
  const handle = client.schedule.getHandle(sourceSchedules.idOf(taskQueue, 'app-audit'));
  await expect(handle.describe()).rejects.toThrow();
});

test('many workers that remove the same schedules at once, of which the list may still tell, all start', async () => {
  const queue = `removed-${randomUUID().slice(0, 8)}`;
  await sourceSchedules.sync(client, queue, sources);
  await until('the list', async () => {
    for await (const { scheduleId } of client.schedule.list()) {
      if (scheduleId === sourceSchedules.idOf(queue, 'app-audit')) return true;
    }
    return false;
  });
  await Promise.all(Array.from({ length: 8 }, () => sourceSchedules.sync(client, queue, [])));
  await expect(
    client.schedule.getHandle(sourceSchedules.idOf(queue, 'app-audit')).describe(),
  ).rejects.toThrow();
});
