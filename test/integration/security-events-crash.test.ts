/**
 * The worker as operators run it, with a schedule that delivers: killed in the instant in which a receiver has taken an
 * event, it sends the event again under the same jti; stopped in good order, it signs the head of the audit log.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createLedgerActivities } from '../../src/activities/ledger.js';
import { readHeads } from '../../src/audit/heads-table.js';
import { generateSigningKey, privateJwkText } from '../../src/keys/signing-keys.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { listOutbox } from '../../src/security-events/outbox-table.js';
import { parseReceiversFile } from '../../src/security-events/receivers-file.js';
import { deliverySchedules } from '../../src/security-events/schedules.js';
import { auditEntry } from '../support/audit-forger.js';
import { type EntryProcess, workerProcess } from '../support/entry-process.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { accept, type EventReceiver, startReceiver } from '../support/signal-receiver.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';

const issuer = 'https://dormouse.example.com';
const audience = 'https://billing.example.com';
const taskQueue = `signals-${randomUUID().slice(0, 8)}`;
const key = generateSigningKey('rsa');

let database: FreshDatabase;
let gateway: TestGateway;
let receiver: EventReceiver;
let worker: EntryProcess;
let client: Client;
let directory: string;
let streams: ReturnType<typeof parseReceiversFile>;

beforeAll(async () => {
  const stack = inject('stack');
  database = await openFreshDatabase();
  directory = await mkdtemp(join(tmpdir(), 'dormouse-signals-'));
  client = new Client({ connection: await Connection.connect({ address: stack.temporal.address }) });
  gateway = await listenGateway({
    stack,
    more: { securityEvents: { streams: { issuer, subjectIssuer: issuer, receivers: [] }, keys: [key] } },
  });
  receiver = await startReceiver({ jwksUri: `${gateway.url}/.well-known/jwks.json`, issuer, audience });
  const file = join(directory, 'signals.yaml');
  const text = `issuer: ${issuer}
receivers:
  - name: billing
    endpoint: ${receiver.url}
    audience: ${audience}
    events: [account-purged]
    authorizationVariable: BILLING_AUTHORIZATION
    deliverEvery: 10s
`;
  await writeFile(file, text);
  streams = parseReceiversFile(text, file);
  worker = workerProcess({
    ...inject('environment'),
    DORMOUSE_POSTGRES_URL: database.url,
    DORMOUSE_POSTGRES_MIGRATION_URL: '',
    DORMOUSE_TASK_QUEUE: taskQueue,
    DORMOUSE_RECONCILE_EVERY: 'off',
    DORMOUSE_SHARED_SIGNALS_FILE: file,
    DORMOUSE_SHARED_SIGNALS_KEY: privateJwkText(key),
    BILLING_AUTHORIZATION: 'Bearer of-the-receiver',
  });
});
afterAll(async () => {
  await worker.kill();
  await deliverySchedules.sync(client, taskQueue, []);
  await receiver.close();
  await gateway.close();
  await client.connection.close();
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

test('a worker that dies when an event was taken sends it again, and one that stops signs the log', async () => {
  const { pool } = database;
  const ledger = createLedgerActivities({
    pool,
    policies: new PolicyReader(pool),
    receivers: streams.receivers,
  });
  await ledger.record({ revision: 1, audit: [auditEntry({ eventType: 'account_deleted' })] });
  receiver.answer = async (event, response) => {
    receiver.answer = accept;
    await worker.kill();
    accept(event, response);
  };
  await worker.start();
  await until('the first delivery', () => receiver.received.length === 1, { timeoutMs: 90_000 });
  expect(await listOutbox(pool, 'delivered', 10)).toEqual([]);

  await worker.start();
  const [delivered] = await until(
    'the second delivery',
    async () => {
      const rows = await listOutbox(pool, 'delivered', 10);
      return rows.length > 0 && rows;
    },
    { timeoutMs: 90_000 },
  );
  expect(receiver.received.map(({ payload }) => payload.jti)).toEqual([delivered?.jti, delivered?.jti]);
  expect(receiver.received[0]?.authorization).toBe('Bearer of-the-receiver');
  expect(receiver.refused).toEqual([]);

  // The worker's timer did not see this one: only its farewell signs it.
  await ledger.record({ revision: 1, audit: [auditEntry()] });
  await worker.stop();
  // The first entry is that of the policy which the worker published.
  expect((await readHeads(pool, 0, 10)).at(-1)).toMatchObject({ seq: 3 });
}, 240_000);
