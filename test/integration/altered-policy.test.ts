/** Somebody alters the text of a published policy in the real PostgreSQL: no lifecycle acts by it. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { alterPolicy } from '../support/alter-policy.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { fastPolicy, fresh, openOutside, publish, stateOf } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';
import { pendingActivities } from '../support/under-way.js';

const outside = openOutside();
const { people, pool, stack } = outside;
const taskQueue = fresh('altered');
const actor = 'operator-7';
let temporal: Client;
let harness: Harness;
let dormouse: DirectDormouse;
let text: string;
let id: string;
let policyId: string;

beforeAll(async () => {
  temporal = new Client({ connection: await Connection.connect({ address: stack.temporal.address }) });
  harness = await openHarness();
  await harness.startWorkers({}, { taskQueue });
  dormouse = createDormouse({
    temporal: stack.temporal,
    postgresUrl: stack.postgres.url,
    taskQueue,
    timeoutMs: 30_000,
    requestTimeoutMs: 30_000,
  });
});
// Other files read the latest version of every policy.
afterEach(async () => {
  await publish(pool, text);
});
afterAll(async () => {
  await dormouse.close();
  await temporal.connection.close();
  await harness.end();
  await outside.close();
});

/** A person whose policy deactivates after a year; the altered text says two seconds. */
async function altered(attempts: number): Promise<void> {
  policyId = fresh('altered');
  text = fastPolicy(policyId)
    .replace('after: 2s', 'after: 365d')
    .replace('attempts: 2', `attempts: ${attempts}`);
  const policy = await publish(pool, text);
  ({ id } = await people.create('altered'));
  await dormouse.enrol(id, { policyId });
  await eventually('its standing', async () => (await dormouse.standing(id))?.policy?.hash === policy.hash);
  await alterPolicy(pool, policyId, 1, 'after: 365d', 'after: 2s');
}

async function nothingWasDone(): Promise<void> {
  expect(await stateOf(people, id)).toBe('active');
  const types = (await readAudit(pool, id)).map(({ eventType }) => eventType);
  expect(
    types.filter((type) => !['lifecycle_started', 'step_parked', 'parked_retried'].includes(type)),
  ).toEqual([]);
}

describe('a lifecycle whose policy was altered in the database', () => {
  it('parks its look and does nothing; after the right text was published an operator lets it go on', async () => {
    await altered(2);
    await dormouse.lookAgain(id);
    const parked = await eventually('its parking', async () => (await dormouse.standing(id))?.parked);
    expect(parked).toMatchObject({ step: 'look', errorType: 'PolicyAltered' });
    expect(parked.wayOut).toMatch(/publish the right text, then retry/);
    await nothingWasDone();
    const second = await publish(pool, text);
    expect(await dormouse.retryParked(id, { actor })).toMatchObject({ stage: 'active', policy: second });
    await nothingWasDone();
  });

  it('goes on by itself where the right text was published while it was still trying', async () => {
    await altered(1_000);
    await dormouse.lookAgain(id);
    const failure = await eventually(
      'a failed attempt',
      async () =>
        (await pendingActivities(temporal.workflow.getHandle(lifecycleWorkflowId(id))))[0]?.lastFailure,
    );
    expect(failure.message).toMatch(/was altered in the database/);
    await nothingWasDone();
    const second = await publish(pool, text);
    await eventually('the second version', async () => (await dormouse.standing(id))?.policy?.version === 2);
    expect((await dormouse.standing(id))?.policy).toEqual(second);
    expect((await dormouse.standing(id))?.parked).toBeUndefined();
    await nothingWasDone();
  });

  it('is told at once that it can not be applied', async () => {
    await altered(1_000);
    const work = dormouse.applyPolicy(id, { actor, policyId });
    await expect(work).rejects.toThrow(new RegExp(`"${policyId}" version 1 was altered in the database`));
    await nothingWasDone();
  });

  it.each([
    'disableIdentity',
    'deleteIdentity',
  ] as const)('%s, under way by then, does nothing', async (deed) => {
    await altered(1_000);
    const look = {
      ...{ identityId: id, inactiveSince: Date.now(), keepsAlive: ['human', 'token'] as const },
      policyChoice: { id: policyId },
    };
    await expect(outside[deed](look)).rejects.toMatchObject({ type: 'PolicyAltered', nonRetryable: false });
    await nothingWasDone();
  });
});
