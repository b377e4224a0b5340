/**
 * A look that failed for good waits for an operator, whatever messages arrive. In a file of its own: if the
 * workflow spins instead of waiting, it takes the worker's whole process down.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { fresh, openOutside, publish, slowPolicy } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

const outside = openOutside();
const { people, pool, stack } = outside;
const taskQueue = fresh('parked');
const actor = 'operator-7';
let harness: Harness;
let dormouse: DirectDormouse;

beforeAll(async () => {
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
afterAll(async () => {
  await dormouse.close();
  await harness.end();
  await outside.close();
});

/** An identity that follows a policy which was never published. */
async function parkedAtLook(policyId: string): Promise<string> {
  const { id } = await people.create('parked');
  await dormouse.enrol(id, { policyId });
  const parked = await eventually('its parking', async () => (await dormouse.standing(id))?.parked);
  expect(parked).toMatchObject({ step: 'look', errorType: 'UnknownPolicy' });
  return id;
}

describe('an identity whose look is parked', () => {
  it('continues when its policy was published and an operator retries', async () => {
    const policyId = fresh('late');
    const id = await parkedAtLook(policyId);
    const policy = await publish(pool, slowPolicy(policyId));
    expect(await dormouse.retryParked(id, { actor })).toMatchObject({ stage: 'active', policy });
  });

  it('accepts a sign of life and still waits', async () => {
    const id = await parkedAtLook(fresh('never'));
    const at = Date.now();
    await dormouse.recordActivity(id, { at });
    const standing = await dormouse.liveStanding(id);
    expect(standing).toMatchObject({ activity: { human: at }, parked: { step: 'look' } });
  });

  it('takes another policy, and follows it once the step is retried', async () => {
    const id = await parkedAtLook(fresh('never'));
    const policy = await publish(pool, slowPolicy(fresh('other')));
    await dormouse.applyPolicy(id, { actor, policyId: policy.id });
    expect(await dormouse.retryParked(id, { actor })).toMatchObject({ stage: 'active', policy });
  });
});
