/**
 * Whatever keeps a lifecycle from sleeping does not grow its history without end: on the real Temporal server, with a
 * tiny history limit. Each loop is driven by messages that interrupt a step which can't succeed.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookAgainSignal, standingQuery } from '../../src/workflows/messages.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();
let live: Harness;
let taskQueue: string;
const historyLimit = 40;
/** Each costs several events, so the limit is passed long before. */
const mostMessages = 30;
const suffix = randomUUID().slice(0, 8);
/** Activities that fail, by identity. */
const failing = new Map<string, string>();

const policy = (name: string, ladder: string, more = '') => `
id: ${name}-${suffix}
allowShortDurations: true
ladder:
${ladder}
${more}
breaker:
  percentFrom: 100000
  stall: off
  clockTolerance: 1h
  limits: { deactivate: { atMost: ${name === 'fused' ? 1 : 100000} }, delete: { atMost: 100000 } }
recheck: 1h
jitter: none
retry: { attempts: 50, firstAfter: 1h, longestAfter: 1h }
`;
const deactivate = '  deactivate: { after: 2s, notices: [1s], noticeFloor: 1s, withoutNotice: wait }\n';
const deletion = `${deactivate}  delete: { after: 4s, notices: [1s], noticeFloor: 1s }`;

type Activity = (input: { identityId?: string }) => Promise<unknown>;
const withFailures = (activities: object): object =>
  Object.fromEntries(
    Object.entries(activities).map(([name, activity]: [string, Activity]) => [
      name,
      (input: { identityId?: string }) => {
        if (failing.get(input.identityId ?? '') === name) throw new Error('away');
        return activity(input);
      },
    ]),
  );

beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers({}, { wrap: withFailures });
  await live.publish(policy('warns', '  warn: { after: 1s }'));
  await live.publish(
    policy('announces', '  revoke: { after: 4000s, notices: [3997s], noticeFloor: 1s, withoutNotice: wait }'),
  );
  await live.publish(policy('deactivates', deactivate));
  await live.publish(policy('deletes', deletion, 'deletion: { coolDown: 1s }'));
  const hook = '{ taskQueue: nobody-listens, activity: keep, timeout: 1h }';
  await live.publish(policy('exports', deletion, `deletion: { coolDown: 1s, export: ${hook} }`));
  await live.publish(policy('fused', deactivate));
});
afterAll(async () => {
  await clearBreaker(live.pool);
  await live.end();
});

async function enrolled(
  policyName: string,
  fails?: string,
): Promise<{ id: string; handle: LifecycleHandle }> {
  const { id } = await live.people.create('renews');
  if (fails !== undefined) failing.set(id, fails);
  const handle = await live.enrol(id, taskQueue, { policyId: `${policyName}-${suffix}`, historyLimit });
  return { id, handle };
}

const inProgress = (handle: LifecycleHandle, step: string) =>
  until(`${step} in progress`, async () => (await handle.query(standingQuery)).inProgress === step);

/** Wakes the lifecycle again and again. @returns whether another run took over */
async function isRenewed(handle: LifecycleHandle): Promise<boolean> {
  const before = await live.runIdOf(handle);
  for (let message = 0; message < mostMessages; message += 1) {
    const { historyLength, runId } = await handle.describe();
    if (runId !== before) return true;
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await until('it looked again', async () => {
      const now = await handle.describe();
      return now.runId !== before || now.historyLength > historyLength + 5;
    });
  }
  return false;
}

test.each([
  ['warn', 'warns', 'sendMail'],
  ['notice:revoke', 'announces', 'sendMail'],
  ['deactivate', 'deactivates', 'disableIdentity'],
  ['delete', 'deletes', 'deleteIdentity'],
  ['export', 'exports', undefined],
])('a run whose %s is interrupted without end continues as new', async (step, policyName, fails) => {
  const { handle } = await enrolled(policyName, fails);
  await inProgress(handle, step);
  expect(await isRenewed(handle)).toBe(true);
  await inProgress(handle, step);
});

test('a run that can not tell a new address continues as new', async () => {
  const { id, handle } = await enrolled('announces', 'followAddresses');
  await until('the notice', async () =>
    (await live.audit(id)).some(({ eventType }) => eventType === 'notice_sent'),
  );
  await live.people.identities.patchIdentity({
    id,
    jsonPatch: [{ op: 'replace', path: '/traits/email', value: `moved-${id}@example.com` }],
  });
  await handle.signal(lookAgainSignal, { schemaVersion: 1 });
  await inProgress(handle, 'follow:revoke');
  expect(await isRenewed(handle)).toBe(true);
  await inProgress(handle, 'follow:revoke');
});

test('a run that the breaker holds continues as new under endless requests for a look', async () => {
  const [first, second] = [await enrolled('fused'), await enrolled('fused')];
  const held = await until('one is held', async () => {
    for (const { handle } of [first, second]) {
      if ((await handle.query(standingQuery)).blocked?.by === 'breaker') return handle;
    }
    return undefined;
  });
  expect(await isRenewed(held)).toBe(true);
  await until('held again', async () => (await held.query(standingQuery)).blocked?.by === 'breaker');
});

/** Short enough for a test, long enough for a look. */
const runAgeLimitMs = 3_000;

test('a run that grew old in its sleep wakes by itself, continues as new, and goes on where it stood', async () => {
  const { id } = await live.people.create('ages');
  const policyId = `warns-${suffix}`;
  const handle = await live.enrol(id, taskQueue, { policyId, runAgeLimitMs });
  const first = await live.runIdOf(handle);
  const told = () => live.audit(id).then((rows) => rows.map(({ eventType }) => eventType));
  await until('the warning', async () => (await told()).includes('inactivity_warned'));
  // The next look is an hour away, and nobody sends a message.
  const second = await until('another run', async () => {
    const now = await live.runIdOf(handle);
    return now === first ? undefined : now;
  });
  await until('a third', async () => (await live.runIdOf(handle)) !== second);
  expect(await told()).toEqual(['lifecycle_started', 'inactivity_warned']);
  expect((await handle.query(standingQuery)).completed.warn).toBeDefined();
});

test('so does one that is parked and waits for somebody without end', async () => {
  const { id } = await live.people.create('ages');
  const policyId = `never-published-${suffix}`;
  const handle = await live.enrol(id, taskQueue, { policyId, runAgeLimitMs });
  await until('parked', async () => (await handle.query(standingQuery)).parked?.step === 'look');
  const before = await live.runIdOf(handle);
  await until('another run', async () => (await live.runIdOf(handle)) !== before);
  expect((await handle.query(standingQuery)).parked?.step).toBe('look');
});
