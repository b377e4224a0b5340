/** The sweep over an app's own table of tokens: started by its schedule's workflow, and previewed as an operator types it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { tokenSourceSchedules } from '../../src/tokens/sourced/schedule.js';
import { parseTokenSourceFile } from '../../src/tokens/sourced/source-file.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { typed } from '../support/command.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

const policyId = `src-${randomUUID().slice(0, 8)}`;
const file = `sources:
  - name: shop
    connectionUrlVariable: SHOP_URL
    policy: ${policyId}
    select: |
      SELECT id, user_id AS identity_id, created_at, last_used_at FROM pat
      WHERE revoked_at IS NULL AND coalesce(last_used_at, created_at) < $1
    revoke: UPDATE pat SET revoked_at = now() WHERE id = ANY($1) AND revoked_at IS NULL
`;
const sources = parseTokenSourceFile(file, 'sources.yaml');
let live: Harness;
let app: FreshDatabase;
let taskQueue: string;
let directory: string;
let person: string;
beforeAll(async () => {
  live = await openHarness();
  await clearBreaker(live.pool);
  await publish(
    live.pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
breaker: { percentFrom: 1000, stall: off }
tokens: { personal: {} }
`,
  );
  app = await openFreshDatabase();
  const tokenSources = sources.map((source) => ({ source, connectionUrl: app.url }));
  taskQueue = await live.startWorkers({}, { extras: { tokenSources } });
  directory = await mkdtemp(join(tmpdir(), 'dormouse-sources-'));
  await writeFile(join(directory, 'sources.yaml'), file);
  person = (await live.people.create('src')).id;
  await app.pool.query(
    'CREATE TABLE pat (id uuid, user_id uuid, created_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)',
  );
  await app.pool.query(
    `INSERT INTO pat VALUES (gen_random_uuid(), $1, now() - interval '400 days', NULL, NULL),
       (gen_random_uuid(), $1, now() - interval '400 days', now(), NULL)`,
    [person],
  );
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await app.close();
  await live.end();
});

const sweep = (source: string) =>
  live.client.workflow.execute('endSourcedTokens', {
    taskQueue,
    workflowId: `sweep-${randomUUID()}`,
    args: [{ schemaVersion: 1, source }],
  });
const liveTokens = async () =>
  (await app.pool.query('SELECT id FROM pat WHERE revoked_at IS NULL')).rows.length;
const preview = (...args: string[]) =>
  typed({ ...inject('environment'), SHOP_URL: app.url }, ['tokens', 'sources', 'preview', ...args]);

test('a preview says who would lose what and why, as CSV and JSON, and changes nothing', async () => {
  const path = join(directory, 'sources.yaml');
  const [csv, json] = [
    await preview('shop', '--file', path),
    await preview('shop', '--file', path, '--format', 'json'),
  ];
  const [head, line, ...more] = csv.stdout.split('\n');
  expect(head?.trim()).toBe('identity_id,id,why,rule,created_at,last_used_at,limit_at,unused_days');
  expect(line).toContain(`${person},`);
  expect(line).toContain(',inactive,inactive,');
  expect(more).toEqual([]);
  expect(csv.stderr).toMatch(/1 would end, 0 of exempt owners stay/);
  expect(csv.stderr).toMatch(/it would let them pass/);
  expect(JSON.parse(json.stdout)).toMatchObject({ identityId: person, lastUsedAt: null, unusedDays: 400 });
  expect(await liveTokens()).toBe(2);
  const unknown = await preview('nowhere', '--file', path);
  expect(unknown.exitCode).not.toBe(0);
  expect(unknown.stderr).toContain('has no source with this name');
});

test('the schedule of a source starts its sweep, which revokes and audits; a source that no worker knows fails', async () => {
  await tokenSourceSchedules.sync(live.client, taskQueue, sources);
  const schedule = live.client.schedule.getHandle(tokenSourceSchedules.idOf(taskQueue, 'shop'));
  expect((await schedule.describe()).action).toMatchObject({ workflowType: 'endSourcedTokens' });
  expect(await sweep('shop')).toMatchObject({ schemaVersion: 1, inactive: 1, held: 0 });
  expect(await liveTokens()).toBe(1);
  expect(await readAudit(live.pool, person)).toContainEqual(
    expect.objectContaining({
      eventType: 'tokens_revoked_stale',
      detail: expect.objectContaining({ type: 'personal', source: 'shop' }),
    }),
  );
  await expect(sweep('nowhere')).rejects.toThrow();
  await tokenSourceSchedules.sync(live.client, taskQueue, []);
  await expect(schedule.describe()).rejects.toThrow();
});
