/** The breaker between real lifecycles: waiting ones are listed, may return meanwhile, and continue after a release. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { wakeReleased } from '../../src/breaker/release-wake.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { recordAndClaim } from '../../src/signs/claims-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import {
  holdUpdate,
  lookAgainSignal,
  retryParkedUpdate,
  standingQuery,
} from '../../src/workflows/messages.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { makeFit, makeUnfit, stateOf } from '../support/system-outside.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();

let database: FreshDatabase;
let live: Harness;
let desk: Desk;
let operator: Operator;
let taskQueue: string;
let environment: Record<string, string>;
let scratch: string;
let kratosPool: pg.Pool;

beforeAll(async () => {
  database = await openFreshDatabase();
  const stack = inject('stack');
  kratosPool = openKratosDatabase(stack);
  environment = { ...inject('environment'), DORMOUSE_POSTGRES_URL: database.url };
  live = await openHarness({ database });
  taskQueue = await live.startWorkers();
  environment.DORMOUSE_TASK_QUEUE = taskQueue;
  desk = await openDesk({ postgresUrl: database.url, more: { breaker: database.pool } });
  operator = await desk.operator();
  scratch = await mkdtemp(join(tmpdir(), 'dormouse-breaker-'));
  await live.publish(`
id: fused
allowShortDurations: true
ladder:
  deactivate: { after: 3s, notices: [1s], noticeFloor: 1s, withoutNotice: wait }
breaker:
  window: 1d
  limits: { deactivate: { atMost: 1 } }
recheck: 1h
retry: { attempts: 5, firstAfter: 1s, longestAfter: 2s }
`);
});
beforeEach(() => clearBreaker(database.pool));
afterAll(async () => {
  await desk.close();
  await live.end();
  await kratosPool.end();
  await database.close();
  await rm(scratch, { recursive: true, force: true });
});

/** What a worker's process does every five seconds. */
const passOfAWorker = () => wakeReleased({ pool: database.pool, workflows: live.client.workflow });
const dormouse = (...args: string[]) => operator.typed(args);

interface Enrolled {
  readonly id: string;
  readonly person: Person;
  readonly handle: LifecycleHandle;
}
/** The names of the activities, in the order in which the workflow scheduled them. */
async function activitiesOf(handle: LifecycleHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
  );
}
const stageOf = async ({ id }: Enrolled) => (await readStanding(database.pool, id))?.stage;
const blockOf = async ({ id }: Enrolled) => (await readStanding(database.pool, id))?.blocked;

test('one is deactivated, the others wait until somebody decides', async () => {
  const everybody: Enrolled[] = [];
  for (let i = 0; i < 4; i += 1) {
    const person = await live.people.create('fused');
    const { id } = person;
    everybody.push({ id, person, handle: await live.enrol(id, taskQueue, { policyId: 'fused' }) });
  }
  const waiting = await until('three wait for the breaker', async () => {
    const blocks = await Promise.all(everybody.map(blockOf));
    const held = everybody.filter((_one, index) => blocks[index]?.by === 'breaker');
    const stages = await Promise.all(everybody.map(stageOf));
    return held.length === 3 && stages.includes('deactivated') ? held : undefined;
  });
  const stages = await Promise.all(everybody.map(stageOf));
  expect(stages.toSorted()).toEqual(['active', 'active', 'active', 'deactivated']);
  const [returns, released, stays] = waiting;
  if (returns === undefined || released === undefined || stays === undefined) throw new Error('three');

  const { blocked, next } = await stays.handle.query(standingQuery);
  expect(blocked?.why).toMatch(/the breaker holds it \(trip \d+\): 1 × deactivate within 1d; allowed are 1/);
  expect(next).toMatchObject({ step: 'rung', rung: 'deactivate' });
  expect((await live.audit(stays.id)).map(({ eventType }) => eventType)).toContain('held_by_breaker');

  // A return takes effect at once: the breaker stops destructive steps only.
  await recordAndClaim(
    database.pool,
    [{ identityId: returns.id, at: Date.now(), kind: 'human', source: 'app' }],
    Date.now(),
  );
  await returns.handle.signal(lookAgainSignal, { schemaVersion: 1 });
  await until('the returned one is not blocked', async () => (await blockOf(returns)) === undefined);
  // The projection is written first.
  await until('the audit log has the return', async () =>
    (await live.audit(returns.id)).some(({ eventType }) => eventType === 'returned'),
  );

  const seen = await dormouse('breaker', 'status');
  expect(seen.all).toMatch(/trip \d+ +deactivate stopped since .* \(limit\)/);
  const tripId = /trip (\d+)/.exec(seen.all)?.[1] ?? '';
  const list = await dormouse('breaker', 'waiting', '--csv');
  const rows = list.stdout.split('\n');
  const file = join(scratch, 'released.csv');
  await writeFile(file, rows.filter((row, index) => index === 0 || row.startsWith(released.id)).join('\n'));
  const done = await dormouse(
    ...['breaker', 'release', tripId, '--identities', file, '--reason', 'checked', '--yes'],
  );
  expect(done.all).toBe('released. The workers wake the 1 identities, some 50 a second');
  await passOfAWorker();
  await until('the released one is deactivated', async () => (await stageOf(released)) === 'deactivated');
  expect(await blockOf(stays)).toMatchObject({ by: 'breaker' });
  expect(await live.people.signIn(stays.person), 'the door is still open').toBeDefined();
  // Whoever returned is due again within seconds, and would take the one place of the next test.
  await Promise.all([returns, stays].map(({ handle }) => handle.terminate('the test is over')));
});

test('a step that an operator retries by hand asks it as well', async () => {
  const { id } = await live.people.create('fused');
  await makeUnfit(kratosPool, id);
  const handle = await live.enrol(id, taskQueue, { policyId: 'fused' });
  const standing = () => readStanding(database.pool, id);
  await until('its parking', async () => (await standing())?.parked?.step === 'deactivate');
  const tripped = await dormouse('breaker', 'trip', 'all', '--reason', 'incident');
  expect(tripped.exitCode, tripped.all).toBe(0);
  await makeFit(kratosPool, id);

  const retried = await handle.executeUpdate(retryParkedUpdate, {
    args: [{ schemaVersion: 1, actor: 'op-1' }],
  });
  expect(retried.parked).toBeUndefined();
  const { blocked, stage } = await until('it is held, or done', async () => {
    const now = await handle.query(standingQuery);
    return (now.blocked !== undefined || now.stage === 'deactivated') && now;
  });
  expect({ stage, by: blocked?.by }).toEqual({ stage: 'active', by: 'breaker' });
  expect(await stateOf(live.people, id)).toBe('active');

  const tripId = /trip (\d+)/.exec(blocked?.why ?? '')?.[1] ?? '';
  const file = join(scratch, 'by-hand.csv');
  await writeFile(file, id);
  const released = await dormouse(
    ...['breaker', 'release', tripId, '--identities', file, '--reason', 'mended', '--yes'],
  );
  expect(released.all).toBe('released. The workers wake the 1 identities, some 50 a second');
  await passOfAWorker();
  await until('it is deactivated', async () => (await standing())?.stage === 'deactivated');
  expect(await stateOf(live.people, id)).toBe('inactive');
});

test('a lifecycle that remembers more than PostgreSQL stops everything, also where the breaker is tripped already', async () => {
  const { id } = await live.people.create('fused');
  const handle = await live.enrol(id, taskQueue, { policyId: 'fused', activity: { human: Date.now() } });
  await until('its standing', () => readStanding(database.pool, id));
  await dormouse('breaker', 'trip', 'all', '--reason', 'incident');
  // A backup from before it was written.
  await database.pool.query('UPDATE standing SET revision = revision - 60000 WHERE identity_id = $1', [id]);
  const hold = { schemaVersion: 1, actor: 'op-1', reason: 'leave', until: Date.now() + dayMs } as const;
  await handle.executeUpdate(holdUpdate, { args: [hold] });
  const causes = (await activeTrips(database.pool, ['all'])).map(({ cause }) => cause);
  expect(causes.toSorted()).toEqual(['operator', 'restored']);
});

test('a lifecycle that remembers more than PostgreSQL is held at the act itself: a step that is due is not recorded again', async () => {
  const { id } = await live.people.create('restored');
  // Loses the last write of this identity only, as soon as its notice is written.
  await database.pool.query(`
    CREATE FUNCTION lose_the_last_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.revision := 1; RETURN NEW; END $$`);
  await database.pool.query(`
    CREATE TRIGGER lose_the_last_write BEFORE UPDATE ON standing FOR EACH ROW
    WHEN (NEW.identity_id = '${id}' AND jsonb_array_length(NEW.document -> 'notices') > 0)
    EXECUTE FUNCTION lose_the_last_write()`);
  try {
    const handle = await live.enrol(id, taskQueue, { policyId: 'fused', activity: { human: Date.now() } });
    const { stage } = await until('it is held, or done', async () => {
      const now = await handle.query(standingQuery);
      return (now.blocked !== undefined || now.stage === 'deactivated') && now;
    });
    expect(stage).toBe('active');
    expect(await stateOf(live.people, id)).toBe('active');
    const [trip] = await activeTrips(database.pool, ['all']);
    expect(trip).toMatchObject({ cause: 'restored', scope: 'all' });
    const called = await activitiesOf(handle);
    const sinceNotice = called.slice(called.indexOf('sendMail'), called.indexOf('passBreaker'));
    expect(sinceNotice.filter((name) => name === 'record')).toHaveLength(1);
  } finally {
    await database.pool.query('DROP FUNCTION lose_the_last_write CASCADE');
  }
});

test.each([
  [['release', '1', '--reason', 'x'], 2, /say --all to end the trip, or --identities FILE/],
  [['release', 'x', '--all', '--reason', 'x'], 2, /tripId: must be a whole number/],
  [
    ['release', '77', '--all', '--reason', 'see me@example.org'],
    2,
    /--reason: looks like it holds an e-mail/,
  ],
  [['release', '77', '--all', '--reason', 'x'], 2, /--yes: is missing/],
  [['release', '77', '--all', '--reason', 'x', '--yes'], 1, /there is no trip 77/],
  [
    ['trip', 'warn', '--reason', 'x'],
    2,
    /Allowed choices are revoke, deactivate, delete, bury, endPersonal, endRefresh, all/,
  ],
])('breaker %j is refused', async (args, exitCode, message) => {
  const answer = await dormouse('breaker', ...args);
  expect(answer.exitCode).toBe(exitCode);
  expect(answer.all).toMatch(message);
});
