/** The worst moments: what happens between two calls of one step, when the look is over and the deed is not done yet. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { userActivitySignal } from '../../src/workflows/messages.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { lines, TimeTravel } from '../support/time-travel.js';
import { until } from '../support/until.js';

let journey: TimeTravel;
let hydra: FaultProxy;
let taskQueue: string;

beforeAll(async () => {
  journey = await TimeTravel.begin({
    stack: inject('stack'),
    environment: inject('environment'),
    workflowBundlePath: inject('workflowBundlePath'),
    timeSkippingServerPath: inject('timeSkippingServerPath'),
  });
  hydra = await startFaultProxy(inject('stack').hydra.adminUrl);
  taskQueue = await journey.startWorkers({ DORMOUSE_HYDRA_ADMIN_URL: hydra.url });
  await journey.publish(`
id: between
ladder:
  revoke: { after: 30d, notices: [5d], noticeFloor: 5d, withoutNotice: proceed }
breaker: { stall: off, limits: { revoke: { atMost: 1000 } }, percentFrom: 1000 }
recheck: 7d
retry: { attempts: 3, firstAfter: 5s, longestAfter: 30s }
jitter: none
`);
});
afterEach(async () => {
  hydra.heal();
  await journey.forgetLifecycles();
});
afterAll(async () => {
  await journey.end();
  await hydra.close();
});

async function enrolled() {
  const person = await journey.people.create('between');
  const startedAt = await journey.now();
  const handle = await journey.enrol(person.id, taskQueue, {
    policyId: 'between',
    activity: { human: startedAt },
  });
  return { person, handle, startedAt };
}

test('a session that is minted while Hydra is asked is ended, too', async () => {
  const { person, startedAt } = await enrolled();
  let minted: Awaited<ReturnType<typeof journey.people.signIn>>;
  const signIn = async () => {
    minted = await journey.people.signIn(person);
  };
  hydra.inject({ kind: 'meanwhile', deed: signIn }, new RegExp(`^DELETE .*${person.id}`), 1);
  await journey.travelTo(startedAt + 31 * dayMs);
  const events = (await journey.audit(person.id)).map(({ eventType }) => eventType);
  expect(events).toContain('tokens_revoked_stale');
  if (minted === undefined) expect.fail('the sign-in was refused');
  expect(await journey.people.isSignedIn(minted)).toBe(false);
});

test('whoever shows up while the breaker is asked is not touched', async () => {
  const { person, handle, startedAt } = await enrolled();
  await journey.travelTo(startedAt + 29 * dayMs);
  const client = await journey.pool.connect();
  try {
    // The lock that every decision of the breaker takes: whoever asks now waits for it.
    await client.query("SELECT pg_advisory_lock(hashtext('dormouse/breaker'))");
    const travelling = journey.travelTo(startedAt + 31 * dayMs);
    await until('the lifecycle asks the breaker', async () => {
      const waiting = await journey.pool.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return waiting.rows.length > 0;
    });
    const at = await journey.now();
    // Told to the workflow alone: no look that follows could find it elsewhere.
    await handle.signal(userActivitySignal, { schemaVersion: 1, at, kind: 'human', source: 'app' });
    await client.query("SELECT pg_advisory_unlock(hashtext('dormouse/breaker'))");
    await travelling;
  } finally {
    client.release();
  }
  const seen = lines(await journey.audit(person.id));
  expect(seen.filter((line) => line.endsWith('tokens_revoked_stale'))).toEqual([]);
  expect(seen.at(-1)).toBe('0 returned');
});
