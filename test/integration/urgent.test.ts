/**
 * A person who comes back goes before a crowd of deadlines, by Temporal's priorities: the order of calls is written down, nothing is timed.
 * A queue has several partitions at the server, and a free worker asks one of them: so the person is not always the very next.
 */
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { userActivitySignal } from '../../src/workflows/messages.js';
import { activityQueue, urgentPriority } from '../../src/workflows/queues.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';

/** Activities that the workers have under way with Kratos. */
const atOnce = 20;
const crowd = 300;
const policy = `id: crowd
ladder:
  warn: { after: 30d }
recheck: 7d
retry: { attempts: 10, firstAfter: 1s, longestAfter: 2s }
`;
const patience = { timeoutMs: 300_000 };

type Activity = (input: { identityId: string }) => unknown;

let harness: Harness;
let connection: Connection;
let taskQueue: string;
let personId: string;
/** Calls of the workers on Kratos' queue since the crowd came, in the order in which they began. */
let begun: string[] | undefined;
const held: (() => void)[] = [];

beforeAll(async () => {
  harness = await openHarness({ database: 'own' });
  connection = await Connection.connect({ address: inject('stack').temporal.address });
  await harness.publish(policy);
  taskQueue = await harness.startWorkers({ DORMOUSE_POLICY_ID: 'crowd' }, { wrap: watched });
});
afterAll(async () => {
  begun = undefined;
  for (const release of held) release();
  await harness.end();
  await connection.close();
});

/** Writes down each call on Kratos' queue, and holds those for the crowd until they are let go one by one. */
function watched(activities: object): object {
  const all: [string, Activity][] = Object.entries(activities);
  if (!all.some(([name]) => name === 'assess')) return activities;
  return Object.fromEntries(
    all.map(([name, activity]) => [
      name,
      async (input: { identityId: string }) => {
        const isPerson = input.identityId === personId;
        begun?.push(isPerson ? name : 'crowd');
        if (begun !== undefined && !isPerson) await new Promise<void>((resolve) => held.push(resolve));
        return activity(input);
      },
    ]),
  );
}

async function waiting(): Promise<{ all: number; urgent: number }> {
  const { stats, statsByPriorityKey: byPriority } = await connection.workflowService.describeTaskQueue({
    namespace: inject('stack').temporal.namespace,
    taskQueue: { name: activityQueue(taskQueue, 'kratos') },
    taskQueueType: 2,
    reportStats: true,
  });
  const countOf = (some?: typeof stats) => Number(some?.approximateBacklogCount ?? 0);
  return { all: countOf(stats), urgent: countOf(byPriority?.[urgentPriority]) };
}

const stage = async () => (await readStanding(harness.pool, personId))?.stage;

it('300 deadlines wait for Kratos, and a person who comes back is active while most of them still wait', async () => {
  const person = await harness.people.create('returns');
  personId = person.id;
  await harness.dateIdentity(personId, Date.now() - 45 * dayMs);
  const handle = await harness.enrol(personId, taskQueue, { policyId: 'crowd' });
  await until('warned', async () => (await stage()) === 'warned', patience);
  await until('told Kratos', async () => (await handle.describe()).raw.pendingActivities?.length === 0);

  begun = [];
  for (let started = 0; started < crowd; started += 1)
    await harness.enrol(randomUUID(), taskQueue, { policyId: 'crowd' });
  await until('the crowd waits', async () => (await waiting()).all >= crowd - atOnce, patience);
  expect(held).toHaveLength(atOnce);

  await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: Date.now() });
  await until('the look waits', async () => (await waiting()).urgent === 1, patience);
  await letGoUntil('assess');
  await until('active', async () => (await stage()) === 'active', patience);
  await until('the stage waits', async () => (await waiting()).urgent === 1, patience);
  await letGoUntil('publishStage');
  expect((await waiting()).all).toBeGreaterThan(crowd / 2);
}, 600_000);

/** Lets go one of the crowd after the other until this call of the person has begun. */
async function letGoUntil(call: string): Promise<void> {
  while (begun?.includes(call) === false) {
    const before = begun.length;
    held.shift()?.();
    await until('the next call begins', () => (begun?.length ?? 0) > before, patience);
  }
}
