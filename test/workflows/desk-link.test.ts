/** The way from the Temporal UI to the desk: in the workflow's details, on the real Temporal server. */
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { publishPolicyFile, quietLog } from '../support/workers.js';

quietLog();
let linking: Harness;
let plain: Harness;

beforeAll(async () => {
  linking = await openHarness({ environment: { DORMOUSE_DESK_URL: 'https://desk.acorn.example/' } });
  // An empty variable is one that is not set; the stack has a desk.
  plain = await openHarness({ environment: { DORMOUSE_DESK_URL: '' } });
  await publishPolicyFile(plain.pool, 'policies/default.yaml');
});
afterAll(async () => {
  await linking.end();
  await plain.end();
});

async function enrolled(live: Harness): Promise<{ id: string; handle: LifecycleHandle }> {
  const taskQueue = await live.startWorkers();
  const { id } = await live.people.create('desk-link');
  const handle = await live.enrol(id, taskQueue, { activity: { human: Date.now() } });
  await until('the first look is shown', async () => (await detailsOf(handle)).includes('**Policy:**'));
  return { id, handle };
}

/** What the Temporal UI asks for. */
const detailsOf = async (handle: LifecycleHandle): Promise<string> =>
  z.object({ currentDetails: z.string() }).parse(await handle.query('__temporal_workflow_metadata'))
    .currentDetails;

test('the details of a lifecycle link to its page at the desk, and its history replays', async () => {
  const { id, handle } = await enrolled(linking);
  const [first] = (await detailsOf(handle)).split('\n\n');
  expect(first).toBe(`[Open this identity at the desk](https://desk.acorn.example/desk/identities/${id})`);
  const history = await handle.fetchHistory();
  const workflowBundle = { codePath: inject('workflowBundlePath') };
  await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
});

test('without an address of the desk there is no link', async () => {
  const { handle } = await enrolled(plain);
  expect(await detailsOf(handle)).not.toContain('](');
});
