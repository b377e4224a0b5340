/** Holds outlive the workflow that took the request, and the burial of the identity: on the real servers. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { initialState, type LifecycleState } from '../../src/domain/lifecycle/state.js';
import { isOnHold, keepHold, readHolds } from '../../src/holds/holds-table.js';
import { holdUpdate, lookAgainSignal, releaseUpdate, standingQuery } from '../../src/workflows/messages.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();
const policyId = `held-${randomUUID().slice(0, 8)}`;
const operator = { schemaVersion: 1, actor: 'op-1', reason: 'case 12' } as const;
let live: Harness;
let taskQueue: string;
beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers();
  await live.publish(`
id: ${policyId}
ladder:
  warn: { after: 30d }
  suspend: { after: 60d, noticeFloor: 7d }
recheck: 7d
retry: { attempts: 5, firstAfter: 1s, longestAfter: 2s }
`);
});
afterAll(() => live.end());

interface Life {
  readonly id: string;
  readonly handle: LifecycleHandle;
}

async function enrolled(id?: string, state?: LifecycleState): Promise<Life> {
  const identityId = id ?? (await live.people.create('held')).id;
  const options = state === undefined ? {} : { state };
  const handle = await live.enrol(identityId, taskQueue, { policyId, ...options });
  const life = { id: identityId, handle };
  await until('the first look', async () => (await handle.query(standingQuery)).policy !== undefined);
  return life;
}
const hold = ({ handle }: Life, kind: 'leave' | 'legal' = 'leave') =>
  handle.executeUpdate(holdUpdate, { args: [{ ...operator, kind, until: Date.now() + 30 * dayMs }] });
const heldBy = async ({ handle }: Life) =>
  ((await handle.query(standingQuery)).holds ?? []).map(({ id, kind }) => `${id} ${kind}`);
const eventsOf = async ({ id }: Life) =>
  (await live.audit(id)).map(({ eventType }) => eventType).filter((event) => event.startsWith('hold_'));
const standingIn = async ({ id }: Life) =>
  (await readHolds(live.pool, id, Date.now())).standing.map((one) => one.id);

describe('a hold that was confirmed', () => {
  test('is stored in PostgreSQL once, and so is its release', async () => {
    const life = await enrolled();
    await hold(life);
    expect(await standingIn(life)).toEqual(['h1']);
    await life.handle.executeUpdate(releaseUpdate, { args: [operator] });
    expect(await standingIn(life)).toEqual([]);
    expect(await heldBy(life)).toEqual([]);
    expect(await eventsOf(life)).toEqual(['hold_set', 'hold_released']);
  });

  test('outlives the termination of its workflow; the next hold has an id of its own', async () => {
    const life = await enrolled();
    await hold(life, 'legal');
    await life.handle.terminate('lost');
    const again = await enrolled(life.id);
    await until('the hold', async () => (await heldBy(again)).length === 1);
    expect((await again.handle.query(standingQuery)).blocked?.by).toBe('hold');
    await hold(again);
    expect(await heldBy(again)).toEqual(['h1 legal', 'h2 leave']);
    await again.handle.executeUpdate(releaseUpdate, { args: [{ ...operator, kind: 'legal' }] });
    expect(await standingIn(again)).toEqual(['h2']);
  });

  test('is in force beside the old one if it was set before the successor’s first look', async () => {
    const life = await enrolled();
    await hold(life, 'legal');
    await life.handle.terminate('lost');
    const handle = await live.enrol(life.id, taskQueue, { policyId });
    await hold({ id: life.id, handle });
    await until('both', async () => (await heldBy({ id: life.id, handle })).length === 2);
    expect((await heldBy({ id: life.id, handle })).sort()).toEqual(['h1 legal', 'h2 leave']);
  });

  test('outlives the burial', async () => {
    const life = await enrolled();
    await hold(life, 'legal');
    await life.handle.terminate('lost');
    await buryIdentity(live.pool, life.id, undefined, Date.now());
    expect(await isOnHold(live.pool, life.id, Date.now())).toBe(true);
    const again = await enrolled(life.id);
    await until('the hold', async () => (await heldBy(again)).length === 1);
  });

  test('is stored for each of many requests at once, with an id and an audit entry of its own', async () => {
    const life = await enrolled();
    await Promise.all(Array.from({ length: 8 }, () => hold(life)));
    const ids = Array.from({ length: 8 }, (_, index) => `h${index + 1}`);
    expect((await standingIn(life)).sort()).toEqual(ids);
    expect((await heldBy(life)).map((one) => one.split(' ')[0]).sort()).toEqual(ids);
    const entries = (await live.audit(life.id)).filter(({ eventType }) => eventType === 'hold_set');
    expect(entries.map(({ detail }) => detail?.holdId).sort()).toEqual(ids);
  });
});

test('holds in an older build’s memory are moved to PostgreSQL, and a hold in PostgreSQL is moved to memory', async () => {
  const { id } = await live.people.create('held');
  const now = Date.now();
  const old: LifecycleState = {
    ...initialState(id, { id: policyId }, now),
    known: true,
    holds: [{ id: 'h1', reason: 'old', actor: 'op-1', since: now, until: now + 30 * dayMs }],
    holdsSet: 1,
  };
  const life = await enrolled(id, old);
  await until('the hold', async () => (await standingIn(life)).length === 1);
  expect(await eventsOf(life), 'it was audited when it was set').toEqual([]);
  await keepHold(
    live.pool,
    id,
    { id: 'h2', kind: 'legal', reason: 'by hand', actor: 'op-2', since: now, until: now + 60 * dayMs },
    undefined,
  );
  await life.handle.signal(lookAgainSignal, { schemaVersion: 1 });
  await until('both', async () => (await heldBy(life)).length === 2);
});
