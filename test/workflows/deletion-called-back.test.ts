/** A hold that comes while a deletion is being tried: on the real server, as the skipping one stops skipping then. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isOnHold } from '../../src/holds/holds-table.js';
import { holdUpdate, releaseUpdate, standingQuery } from '../../src/workflows/messages.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { isRetried, isUnderWay } from '../support/under-way.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

const policyId = `called-back-${randomUUID().slice(0, 8)}`;
/** The second attempt would come after an hour: whatever happens within the test did not wait for it. */
const policy = `
id: ${policyId}
allowShortDurations: true
ladder:
  deactivate: { after: 2s, notices: [1s], noticeFloor: 1s, withoutNotice: wait }
  delete: { after: 4s, notices: [1s], noticeFloor: 1s }
deletion: { coolDown: 1s }
breaker:
  percentFrom: 100000
  stall: off
  clockTolerance: 1h
  limits: { deactivate: { atMost: 100000 }, delete: { atMost: 100000 } }
recheck: 1h
jitter: none
retry: { attempts: 5, firstAfter: 1h, longestAfter: 1h }
`;
const operator = { schemaVersion: 1, actor: 'op-1', reason: 'case 12' } as const;
const unavailable = { kind: 'answer', status: 503, body: '{"error":{}}' } as const;
let live: Harness;
let kratos: FaultProxy;
let taskQueue: string;

beforeAll(async () => {
  quietLog();
  const stack = inject('stack');
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  live = await openHarness();
  taskQueue = await live.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
  await live.publish(policy);
});
afterAll(async () => {
  await live.end();
  await kratos.close();
});

interface Life {
  readonly id: string;
  readonly handle: LifecycleHandle;
  readonly deletions: RegExp;
}

async function enrolled(): Promise<Life> {
  const { id } = await live.people.create('called-back');
  const handle = await live.enrol(id, taskQueue, { policyId, activity: { human: Date.now() } });
  return { id, handle, deletions: new RegExp(`^DELETE /admin/identities/${id}$`) };
}

const eventsOf = async ({ id }: Life) => (await live.audit(id)).map(({ eventType }) => eventType);
const exists = async ({ id }: Life) =>
  (await live.people.identities.getIdentity({ id }, { validateStatus: () => true })).status === 200;
const hold = ({ handle }: Life) =>
  handle.executeUpdate(holdUpdate, { args: [{ ...operator, until: Date.now() + 7 * 86_400_000 }] });

/** Waits until an attempt at the deletion has failed. */
function failedAttempt({ handle }: Life): Promise<true> {
  return until('an attempt that failed', () => isRetried(handle, 'deleteIdentity'));
}

describe('a deletion that Kratos does not answer', () => {
  test('is called back by a hold at once, and comes after it with new notices', async () => {
    const life = await enrolled();
    kratos.inject(unavailable, life.deletions);
    await failedAttempt(life);
    const noticesBefore = (await eventsOf(life)).filter((event) => event === 'notice_sent').length;

    expect((await hold(life)).blocked?.by).toBe('hold');

    kratos.heal();
    expect(await exists(life)).toBe(true);
    expect((await eventsOf(life)).at(-1)).toBe('hold_set');
    await life.handle.executeUpdate(releaseUpdate, { args: [operator] });
    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
    expect(await exists(life)).toBe(false);
    const after = (await eventsOf(life)).filter((event) => event === 'notice_sent').length;
    expect(after).toBe(noticesBefore + 1);
    expect(kratos.requests.filter((line) => life.deletions.test(line))).toHaveLength(2);
  });

  test('a hold that comes while the call is on its way: the attempt fails, and nothing is parked', async () => {
    const life = await enrolled();
    kratos.inject({ kind: 'no-answer' }, life.deletions);
    const sent = () => kratos.requests.filter((line) => life.deletions.test(line));
    await until('the call', () => sent().length > 0);
    expect((await hold(life)).blocked?.by).toBe('hold');
    kratos.heal();
    expect((await life.handle.query(standingQuery)).parked).toBeUndefined();
    expect(await eventsOf(life)).not.toContain('step_parked');
    expect(sent()).toHaveLength(1);
    expect(await exists(life)).toBe(true);
  });

  test('a hold that comes in the very attempt, ahead of its call: the last look finds it, and nothing is sent', async () => {
    const life = await enrolled();
    let held: ReturnType<typeof hold> | undefined;
    const deed = async () => {
      if (held !== undefined || !(await isUnderWay(life.handle, 'deleteIdentity'))) return;
      held = hold(life);
      await until('the hold in PostgreSQL', () => isOnHold(live.pool, life.id, Date.now()));
    };
    // What the last look reads of the identity is passed on when the hold has been set.
    kratos.inject({ kind: 'meanwhile', deed }, new RegExp(`^GET /admin/identities/${life.id}$`));
    await until('the hold', () => held !== undefined);
    expect((await held)?.blocked?.by).toBe('hold');
    kratos.heal();
    expect(kratos.requests.filter((line) => life.deletions.test(line))).toHaveLength(0);
    expect(await exists(life)).toBe(true);
  });

  test('that had its effect is finished, and reported as a deletion', async () => {
    const life = await enrolled();
    kratos.inject({ kind: 'answer-lost' }, life.deletions);
    await failedAttempt(life);
    kratos.heal();
    expect(await exists(life)).toBe(false);

    await hold(life);

    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
    expect((await eventsOf(life)).slice(-2)).toEqual(['hold_set', 'account_deleted']);
  });
});
