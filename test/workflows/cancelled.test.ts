/** What Cancel and Terminate in Temporal do to a lifecycle: on the real server. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { holdUpdate, standingQuery } from '../../src/workflows/messages.js';
import { Gates } from '../support/gates.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();
const slow = `cancelled-${randomUUID().slice(0, 8)}`;
const fast = `cancelled-fast-${randomUUID().slice(0, 8)}`;
const gates = new Gates();
let live: Harness;
let taskQueue: string;
beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers({}, { wrap: gates.wrap });
  await live.publish(`
id: ${slow}
ladder:
  warn: { after: 30d }
recheck: 7d
retry: { attempts: 5, firstAfter: 1s, longestAfter: 2s }
`);
  await live.publish(`
id: ${fast}
allowShortDurations: true
ladder:
  deactivate: { after: 2s, notices: [1s], noticeFloor: 1s, withoutNotice: wait }
breaker:
  percentFrom: 100000
  stall: off
  clockTolerance: 1h
  limits: { deactivate: { atMost: 100000 } }
recheck: 1h
jitter: none
retry: { attempts: 5, firstAfter: 1s, longestAfter: 2s }
`);
});
afterAll(() => live.end());

async function enrolled(policyId: string): Promise<{ id: string; handle: LifecycleHandle }> {
  const { id } = await live.people.create('cancelled');
  const handle = await live.enrol(id, taskQueue, { policyId, activity: { human: Date.now() } });
  await until('the first look', async () => (await handle.query(standingQuery)).policy !== undefined);
  return { id, handle };
}
const eventsOf = async (id: string) => (await live.audit(id)).map(({ eventType }) => eventType);
const isCancelled = async (handle: LifecycleHandle) => {
  const error = await handle.result().catch((caught: unknown) => caught);
  return error instanceof WorkflowFailedError && (await handle.describe()).status.name === 'CANCELLED';
};

test('a cancelled lifecycle ends as cancelled, and the audit log says so', async () => {
  const { id, handle } = await enrolled(slow);
  await handle.cancel();
  expect(await isCancelled(handle)).toBe(true);
  expect(await eventsOf(id)).toEqual(['lifecycle_started', 'lifecycle_cancelled']);
});

test('a deactivation that is under way is finished first, and is in standing and audit log', async () => {
  const { id, handle } = await enrolled(fast);
  const gate = gates.close<{ identityId: string }>('endTokens', (input) => input.identityId === id);
  await gate.reached;
  await handle.cancel();
  await until('the request to cancel', async () => {
    const { events } = await handle.fetchHistory();
    return events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null);
  });
  gate.open();
  expect(await isCancelled(handle)).toBe(true);
  const events = await eventsOf(id);
  expect(events).toContain('lifecycle_cancelled');
  const { data } = await live.people.identities.getIdentity({ id });
  expect(data.state).toBe('inactive');
});

test('a request in that moment is answered or refused, and never hangs', async () => {
  const { id, handle } = await enrolled(slow);
  const gate = gates.close<{ standing?: { identityId: string } }>(
    'record',
    ({ standing }) => standing?.identityId === id,
  );
  await handle.cancel();
  await gate.reached;
  const hold = { schemaVersion: 1, actor: 'op-1', reason: 'case 7', until: Date.now() + dayMs } as const;
  const asked = handle
    .executeUpdate(holdUpdate, { args: [hold] })
    .catch((error: { cause?: Error }) => String(error.cause?.message));
  await expect.poll(() => Promise.race([asked, 'waits'])).toMatch(/was cancelled in Temporal/);
  gate.open();
  expect(await isCancelled(handle)).toBe(true);
});
