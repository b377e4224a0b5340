/** An identity enrolled without a policy follows the one in `DORMOUSE_POLICY_ID`, whatever enrols it. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectOptions } from '../../src/client/types.js';
import { readConfig } from '../../src/config.js';
import { clientOptions, clientVariables } from '../../src/process/temporal-options.js';
import { recordAndClaim } from '../../src/signs/claims-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { workerProcess } from '../support/entry-process.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { openFreshDatabase } from '../support/system-database.js';
import { fresh, openOutside, publish, slowPolicy } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

const outside = openOutside();
const { people, pool, stack } = outside;
const taskQueue = fresh('followed');
const environment = { ...inject('environment'), DORMOUSE_TASK_QUEUE: taskQueue };
let harness: Harness;
let policyId: string;

beforeAll(async () => {
  harness = await openHarness();
  await harness.startWorkers({}, { taskQueue });
  ({ id: policyId } = await publish(pool, slowPolicy(fresh('corporate'))));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await harness.end();
  await outside.close();
});

describe('a first sign of life', () => {
  const policyOf = async (options: Partial<DirectOptions>) => {
    const dormouse = createDormouse({
      ...{ temporal: stack.temporal, postgresUrl: stack.postgres.url, taskQueue },
      ...{ timeoutMs: 30_000, ...options },
    });
    try {
      const { id } = await people.create('followed');
      await dormouse.recordActivity(id);
      return await eventually('its policy', async () => (await dormouse.standing(id))?.policy?.id);
    } finally {
      await dormouse.close();
    }
  };

  it('enrols under the policy of the environment of an app', async () => {
    vi.stubEnv('DORMOUSE_POLICY_ID', policyId);
    expect(await policyOf({})).toBe(policyId);
  });

  it('enrols under the policy that an app names itself, whatever its environment says', async () => {
    vi.stubEnv('DORMOUSE_POLICY_ID', 'another');
    expect(await policyOf({ policyId })).toBe(policyId);
  });

  it('enrols under the policy of the configuration of a gateway', async () => {
    const config = readConfig(clientVariables, { ...environment, DORMOUSE_POLICY_ID: policyId });
    expect(await policyOf(clientOptions(config))).toBe(policyId);
  });

  it('with an open claim enrols under the policy of the worker that takes it over', async () => {
    const database = await openFreshDatabase();
    const worker = workerProcess({
      ...environment,
      DORMOUSE_TASK_QUEUE: fresh('sweep'),
      DORMOUSE_POSTGRES_URL: database.url,
      DORMOUSE_POSTGRES_MIGRATION_URL: database.url,
      DORMOUSE_RECONCILE_EVERY: 'off',
      DORMOUSE_POLICY_ID: policyId,
    });
    try {
      await publish(database.pool, slowPolicy(policyId));
      const { id } = await people.create('followed');
      const sign = { identityId: id, kind: 'human', at: Date.now(), source: 'test' } as const;
      await recordAndClaim(database.pool, [sign], Date.now());
      await database.pool.query("UPDATE activity_signal SET open_since = now() - interval '1 hour'");
      await worker.start();
      const standing = await eventually('its standing', () => readStanding(database.pool, id));
      expect(standing.policy?.id).toBe(policyId);
    } finally {
      await worker.kill();
      await database.close();
    }
  });
});

it('an app with an invalid policy id is refused before it connects', () => {
  const options = { temporal: stack.temporal, postgresUrl: stack.postgres.url };
  expect(() => createDormouse({ ...options, policyId: 'A@b' })).toThrow(
    /^policyId: is not the id of a policy/,
  );
  vi.stubEnv('DORMOUSE_POLICY_ID', 'A@b');
  expect(() => createDormouse(options)).toThrow(/DORMOUSE_POLICY_ID must be the id in a policy file/);
});
