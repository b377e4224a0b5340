/** A lifecycle that continues in a fresh history loses nothing: on the real Temporal server, with a tiny history limit. */
import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import type { Standing } from '../../src/domain/standing.js';
import {
  applyPolicyUpdate,
  holdUpdate,
  releaseUpdate,
  standingQuery,
  userActivitySignal,
} from '../../src/workflows/messages.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { publishPolicyFile, quietLog } from '../support/workers.js';

quietLog();
let live: Harness;
let taskQueue: string;
const historyLimit = 30;
/** How many runs must have followed each other before a test is content. */
const leastRuns = 5;
const policyId = `quick-${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers();
  await publishPolicyFile(live.pool, 'policies/default.yaml');
  await live.publish(`
id: ${policyId}
allowShortDurations: true
ladder:
  warn: { after: 1s }
  suspend: { after: 2s, noticeFloor: 1s }
  revoke: { after: 4000s, notices: [3997s], noticeFloor: 1s, withoutNotice: proceed }
recheck: 1h
retry: { attempts: 5, firstAfter: 1s, longestAfter: 5s }
`);
});
afterAll(() => live.end());

async function enrolled(policy = 'default'): Promise<{ id: string; handle: LifecycleHandle }> {
  const { id } = await live.people.create('continues');
  const handle = await live.enrol(id, taskQueue, {
    policyId: policy,
    historyLimit,
    activity: { human: Date.now() },
  });
  await until('the first look', async () => (await live.audit(id)).length > 0);
  return { id, handle };
}

const signAt = (at: number) => ({ schemaVersion: 1, kind: 'human', source: 'app', at }) as const;
/** Changes nothing, and makes history longer. */
const oldSign = signAt(1);
const operator = { schemaVersion: 1, actor: 'op-1' } as const;

/** Sends harmless signals until another run has taken over. */
async function continueAsNew(handle: LifecycleHandle): Promise<void> {
  const before = await live.runIdOf(handle);
  await until('another run', async () => {
    await handle.signal(userActivitySignal, oldSign);
    return (await live.runIdOf(handle)) !== before;
  });
}

/** The standing once the present run has looked; without the sentence, which tells the time. */
function settled(handle: LifecycleHandle): Promise<Omit<Standing, 'why'>> {
  return until('the look of the new run', async () => {
    const { why: _why, ...standing } = await handle.query(standingQuery);
    return standing.inProgress === undefined && standing;
  });
}

const countOf = async (id: string, eventType: string) =>
  (await live.audit(id)).filter((row) => row.eventType === eventType).length;

test('no signal is lost while runs follow each other', async () => {
  const { handle } = await enrolled();
  for (let run = 1; run < leastRuns; run += 1) {
    const before = await live.runIdOf(handle);
    // The burst is longer than a history may be, so the next run begins within it or right behind it.
    for (let index = 0; index < historyLimit; index += 1) {
      const latest = Date.now();
      const times = [latest - 1, latest, latest - 2].slice(randomInt(2));
      await Promise.all(times.map((at) => handle.signal(userActivitySignal, signAt(at))));
      if (index % 5 === 0)
        expect((await handle.query(standingQuery)).activity.human, `signal ${index} of run ${run}`).toBe(
          latest,
        );
    }
    // A steady stream keeps a run from closing, so it pauses here.
    await until('another run', async () => (await live.runIdOf(handle)) !== before);
  }
});

test('rungs, notices, hold and audit trail survive', async () => {
  const { id, handle } = await enrolled(policyId);
  await until('the notice', async () => (await countOf(id, 'notice_sent')) > 0);
  await until('the suspension', async () => (await handle.query(standingQuery)).stage === 'suspended');
  await handle.executeUpdate(holdUpdate, {
    args: [{ ...operator, reason: 'leave', until: Date.now() + 30 * dayMs }],
  });
  const before = await settled(handle);
  const audit = await live.audit(id);
  for (let times = 0; times < 3; times += 1) await continueAsNew(handle);
  expect(await settled(handle)).toEqual(before);
  expect(await live.audit(id)).toEqual(audit);
});

test('an update repeated after continue-as-new is answered and not carried out again', async () => {
  const { id, handle } = await enrolled();
  const endsAt = Date.now() + 30 * dayMs;
  const hold = (until: number) =>
    handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, reason: 'leave', until }],
      updateId: 'request-1',
    });
  await hold(endsAt);
  await continueAsNew(handle);
  expect((await hold(endsAt + dayMs)).hold?.until).toBe(endsAt);
  expect(await countOf(id, 'hold_set')).toBe(1);

  const release = () =>
    handle.executeUpdate(releaseUpdate, { args: [{ ...operator, reason: 'back' }], updateId: 'request-2' });
  await release();
  await continueAsNew(handle);
  // Released already, so it would be refused, were it not the same request.
  expect((await release()).hold).toBeUndefined();
  expect(await countOf(id, 'hold_released')).toBe(1);
});

test('updates in flight while runs follow each other are each carried out once', async () => {
  const { id, handle } = await enrolled();
  const runs = new Set([await live.runIdOf(handle)]);
  let done = false;
  const pushing = (async () => {
    while (!done) {
      await Promise.all(Array.from({ length: 4 }, () => handle.signal(userActivitySignal, oldSign)));
      runs.add(await live.runIdOf(handle));
    }
  })();
  let count = 0;
  for (let index = 0; runs.size < leastRuns; index += 1) {
    count += 1;
    const endsAt = Date.now() + (10 + index) * dayMs;
    const [held, applied] = await Promise.all([
      handle.executeUpdate(holdUpdate, {
        args: [{ ...operator, reason: `leave ${index}`, until: endsAt }],
        updateId: `hold-${index}`,
      }),
      handle.executeUpdate(applyPolicyUpdate, {
        args: [{ ...operator, policyId: 'default' }],
        updateId: `policy-${index}`,
      }),
    ]);
    expect(held.hold?.until).toBe(endsAt);
    expect(applied.policy?.id).toBe('default');
    // There is room for so many holds only, and how many rounds it takes is the machine's affair.
    const released = await handle.executeUpdate(releaseUpdate, {
      args: [{ ...operator, reason: 'back' }],
      updateId: `release-${index}`,
    });
    expect(released.hold).toBeUndefined();
  }
  done = true;
  await pushing;
  expect(await countOf(id, 'hold_set')).toBe(count);
  expect(await countOf(id, 'hold_released')).toBe(count);
  expect(await countOf(id, 'policy_applied')).toBe(count);
});
