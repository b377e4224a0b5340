/** A new version of a policy reaches the people who are due earlier by it, and touches nobody else. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Person, PersonOptions } from '../../dev/demo/ory-people.js';
import { readAudit } from '../../src/audit/log-table.js';
import { installationId } from '../../src/domain/audit-entry.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { readRollouts } from '../../src/rollout/rollouts-table.js';
import { startDueRollouts } from '../../src/rollout/start-pass.js';
import { readStanding } from '../../src/standings/standings-table.js';
import type { policyRollout } from '../../src/workflows/policy-rollout.js';
import {
  pauseRolloutUpdate,
  policyRolloutWorkflowType,
  publishRolloutUpdate,
  type RolloutInput,
  rollBackUpdate,
  rolloutQuery,
  rolloutWorkflowId,
} from '../../src/workflows/rollout-messages.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { backdate } from '../support/old-people.js';
import { bloat, spoil } from '../support/spoiled.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();

let database: FreshDatabase;
let kratos: pg.Pool;
let live: Harness;
let taskQueue: string;
let desk: Desk;
let operator: Operator;
beforeAll(async () => {
  database = await openFreshDatabase();
  const stack = inject('stack');
  kratos = openKratosDatabase(stack);
  live = await openHarness({ database });
  taskQueue = await live.startWorkers();
  desk = await openDesk({ postgresUrl: database.url, taskQueue });
  operator = await desk.operator();
});
afterAll(async () => {
  await desk.close();
  await live.end();
  await kratos.end();
  await database.close();
});

const decided = { schemaVersion: 1, actor: 'op-7', reason: 'the board asked' } as const;
const freshId = () => `rolled-${randomUUID().slice(0, 8)}`;
const policyText = (id: string, after: string, more = '') => `
id: ${id}
ladder: { warn: { after: ${after} }, suspend: { after: 200d, noticeFloor: 1d } }
jitter: none
recheck: 1d
retry: { attempts: 3, firstAfter: 1s, longestAfter: 2s }
${more}`;

/** Enrols people who were last seen twenty days ago, and waits until each sleeps under version 1. */
async function sleepers(policyId: string, people: readonly PersonOptions[]): Promise<Person[]> {
  const created = await Promise.all(people.map((options) => live.people.create('rolled', options)));
  await backdate(
    kratos,
    created.map(({ id }) => id),
    20,
  );
  const handles = new Map<string, LifecycleHandle>();
  for (const { id } of created) handles.set(id, await live.enrol(id, taskQueue, { policyId }));
  for (const { id } of created) {
    await until('a standing under version 1', async () => (await versionOf(id)) === 1);
  }
  return created;
}

const versionOf = async (id: string) => (await readStanding(database.pool, id))?.policy?.version;
const stageOf = async (id: string) => (await readStanding(database.pool, id))?.stage;
const handleOf = (policyId: string) =>
  live.client.workflow.getHandle<typeof policyRollout>(rolloutWorkflowId(taskQueue, policyId));

function begin(policyId: string, version: number, more: Partial<RolloutInput> = {}) {
  return live.client.workflow.start<typeof policyRollout>(policyRolloutWorkflowType, {
    workflowId: rolloutWorkflowId(taskQueue, policyId),
    taskQueue,
    args: [{ schemaVersion: 1, policyId, version, settleMs: 0, ...more }],
  });
}

test('a version that only contractors are due earlier by: contractors are warned at once, the others are not touched', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const contractor = { metadataAdmin: { role: 'contractor' } };
  const people = await sleepers(policyId, [contractor, {}, contractor, {}, {}]);
  await live.publish(policyText(policyId, '30d', 'roles: { contractor: { warn: { after: 10d } } }'));
  const signalsOf = async ({ id }: Person) => {
    const { events } = await live.client.workflow.getHandle(lifecycleWorkflowId(id)).fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
  };
  const others = people.filter((_, index) => index !== 0 && index !== 2);

  const handle = await begin(policyId, 2);
  expect(await handle.result()).toMatchObject({
    version: 2,
    place: { phase: 'done' },
    counts: { seen: 5, earlier: 2, woken: 2, failed: 0 },
  });
  for (const { id } of [people[0], people[2]].flatMap((one) => one ?? [])) {
    await until('a warning under version 2', async () => (await stageOf(id)) === 'warned');
    expect(await versionOf(id)).toBe(2);
  }
  expect(await Promise.all(others.map(signalsOf))).toEqual([0, 0, 0]);
  expect(await Promise.all(others.map(({ id }) => versionOf(id)))).toEqual([1, 1, 1]);
  expect(await readRollouts(database.pool, policyId)).toMatchObject([
    { version: 2, state: 'done', seen: 5, earlier: 2, woken: 2, failed: 0 },
  ]);
});

test('people whom Kratos answers in a form that can not be read are one failure each; everybody else is warned', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const [spoiled, bloated, ...others] = await sleepers(policyId, [{}, {}, {}, {}]);
  await spoil(kratos, spoiled?.id ?? '');
  await bloat(kratos, bloated?.id ?? '');
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2);
  expect(await handle.result()).toMatchObject({
    place: { phase: 'done' },
    counts: { seen: 4, earlier: 2, woken: 4, failed: 2 },
  });
  for (const { id } of others) await until('the warning', async () => (await stageOf(id)) === 'warned');
  // As soon as it can be read, it is looked at under the new version.
  await kratos.query("UPDATE identities SET state = 'active', metadata_admin = NULL WHERE id = ANY($1)", [
    [spoiled?.id, bloated?.id],
  ]);
  await until('the warning', async () => (await stageOf(spoiled?.id ?? '')) === 'warned');
});

test('a milder version: nobody is woken', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  await sleepers(policyId, [{}, {}]);
  await live.publish(policyText(policyId, '60d'));
  const handle = await begin(policyId, 2);
  expect(await handle.result()).toMatchObject({ counts: { seen: 2, earlier: 0, woken: 0, failed: 0 } });
});

test('a published version that nobody rolled out yet: a pass of the worker does it, once', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const [person] = await sleepers(policyId, [{}]);
  const place = { client: live.client, taskQueue, pool: database.pool };
  expect(await startDueRollouts(place)).not.toContain(`${policyId}@1`);
  await live.publish(policyText(policyId, '10d'));
  expect(await startDueRollouts(place)).toContain(`${policyId}@2`);
  expect(await startDueRollouts(place)).toContain(`${policyId}@2`);
  await until('the warning', async () => person !== undefined && (await stageOf(person.id)) === 'warned');
  expect(await handleOf(policyId).query(rolloutQuery)).toMatchObject({
    version: 2,
    counts: { earlier: 1, woken: 1 },
  });
  await handleOf(policyId).terminate('test ended');
});

test('a roll-out that is paused: the answer comes when nobody is woken any more, and resuming wakes the others', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const people = await sleepers(policyId, [{}, {}, {}, {}, {}, {}]);
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2, { perSecond: 1 });
  const warned = async () =>
    (await Promise.all(people.map(({ id }) => stageOf(id)))).filter((stage) => stage === 'warned').length;
  await until('the first warning', async () => (await warned()) > 0);

  const paused = await handle.executeUpdate(pauseRolloutUpdate, { args: [decided] });
  expect(paused.paused).toMatchObject({ actor: 'op-7', reason: 'the board asked' });
  expect(paused.counts.woken).toBeGreaterThan(0);
  expect(paused.counts.woken).toBeLessThan(6);
  await until('all woken people warned', async () => (await warned()) === paused.counts.woken);
  expect(await readRollouts(database.pool, policyId)).toMatchObject([{ version: 2, state: 'paused' }]);
  const begun = await startDueRollouts({ client: live.client, taskQueue, pool: database.pool });
  expect(begun).not.toContain(`${policyId}@2`);
  await expect(handle.executeUpdate(pauseRolloutUpdate, { args: [decided] })).rejects.toThrow();
  const status = await operator.typed(['policy', 'rollout', 'status', policyId]);
  expect(status.stdout).toContain(`${policyId}@2`);
  expect(status.stdout).toContain('paused');

  const resumed = await operator.typed(['policy', 'rollout', 'resume', policyId, '--reason', 'checked']);
  expect(resumed.all).toContain(`${policyId}@2`);
  expect(await handle.result()).toMatchObject({ counts: { seen: 6, earlier: 6, woken: 6, failed: 0 } });
  await until('everybody warned', async () => (await warned()) === 6);
  const decisions = (await readAudit(database.pool, installationId)).filter(
    ({ detail, eventType }) => detail.policyId === policyId && eventType.startsWith('policy_rollout'),
  );
  expect(decisions).toMatchObject([
    { eventType: 'policy_rollout_paused', actor: 'op-7', detail: { version: 2, reason: 'the board asked' } },
    { eventType: 'policy_rollout_resumed', detail: { version: 2, reason: 'checked' } },
  ]);
});

test('a paused roll-out whose workflow was terminated: resuming it starts it again', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const people = await sleepers(policyId, [{}, {}]);
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2, { perSecond: 0.01 });
  const { counts } = await handle.executeUpdate(pauseRolloutUpdate, { args: [decided] });
  expect(counts.woken).toBeLessThan(2);
  await until('the state in PostgreSQL', async () =>
    (await readRollouts(database.pool, policyId)).some(({ state }) => state === 'paused'),
  );
  await handle.terminate('by hand');
  const resumed = await operator.typed(['policy', 'rollout', 'resume', policyId, '--reason', 'checked']);
  expect(resumed).toMatchObject({ exitCode: 0 });
  for (const { id } of people) await until('the warning', async () => (await stageOf(id)) === 'warned');
  const { place } = await handleOf(policyId).query(rolloutQuery);
  expect(place.phase).toBe('late');
  await handleOf(policyId).terminate('test ended');
});

test('a roll-out that is taken back: the text of before is the next version, which is rolled out instead', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  await sleepers(policyId, [{}, {}]);
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2, { perSecond: 0.01 });
  await handle.executeUpdate(pauseRolloutUpdate, { args: [decided] });
  await expect(handle.executeUpdate(rollBackUpdate, { args: [{ ...decided, to: 2 }] })).rejects.toThrow();
  const back = await handle.executeUpdate(rollBackUpdate, { args: [decided] });
  expect(back).toMatchObject({ version: 3 });
  expect(back.paused).toBeUndefined();
  expect(await handle.result()).toMatchObject({ version: 3, place: { phase: 'done' } });
  expect(await readRollouts(database.pool, policyId)).toMatchObject([
    { version: 3, state: 'done' },
    { version: 2, state: 'superseded' },
  ]);
  const [last] = (await readAudit(database.pool, installationId)).filter(
    ({ eventType, policyId: id }) => eventType === 'policy_rolled_back' && id === policyId,
  );
  expect(last).toMatchObject({ actor: 'op-7', policyVersion: 3 });
});

test('a newer version that is published meanwhile: the roll-out goes on with it, and refuses an older one', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  const people = await sleepers(policyId, [{}, {}]);
  await live.publish(policyText(policyId, '25d'));
  const handle = await begin(policyId, 2, { settleMs: 3_600_000 });
  await until(
    'the wait for late looks',
    async () => (await handle.query(rolloutQuery)).place.phase === 'late',
  );
  for (const { id } of people) await until('sleep under version 2', async () => (await versionOf(id)) === 2);
  await live.publish(policyText(policyId, '10d'));
  const newer = await handle.executeUpdate(publishRolloutUpdate, {
    args: [{ schemaVersion: 1, version: 3 }],
  });
  expect(newer).toMatchObject({ version: 3 });
  await expect(
    handle.executeUpdate(publishRolloutUpdate, { args: [{ schemaVersion: 1, version: 2 }] }),
  ).rejects.toThrow();
  await until('both woken', async () => (await handle.query(rolloutQuery)).counts.woken === 2);
  await handle.terminate('test ended');
});

test('a roll-out that is cancelled in Temporal: PostgreSQL says so, and no pass starts it again', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2, { settleMs: 3_600_000 });
  await until(
    'the wait for late looks',
    async () => (await handle.query(rolloutQuery)).place.phase === 'late',
  );
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(await readRollouts(database.pool, policyId)).toMatchObject([{ version: 2, state: 'cancelled' }]);
  const begun = await startDueRollouts({ client: live.client, taskQueue, pool: database.pool });
  expect(begun).not.toContain(`${policyId}@2`);
});

test('a history that is full: the roll-out continues as new, and counts everybody once', async () => {
  const policyId = freshId();
  await live.publish(policyText(policyId, '30d'));
  await sleepers(policyId, [{}, {}, {}]);
  await live.publish(policyText(policyId, '10d'));
  const handle = await begin(policyId, 2, { historyLimit: 5, stretchMs: 1 });
  expect(await handle.result()).toMatchObject({ counts: { seen: 3, earlier: 3, woken: 3, failed: 0 } });
  expect((await handleOf(policyId).describe()).runId).not.toBe(handle.firstExecutionRunId);
});
