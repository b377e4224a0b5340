/**
 * The end of a run or of a life never waits for ever for a request, nor a request for them: on the real
 * Temporal server, with an activity held back while the other side comes.
 */
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirmAbsence } from '../../src/absence/confirmations-table.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import type { Standing } from '../../src/domain/standing.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import {
  applyPolicyUpdate,
  holdUpdate,
  lookAgainSignal,
  retryParkedUpdate,
  standingQuery,
  userActivitySignal,
} from '../../src/workflows/messages.js';
import { Gates } from '../support/gates.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { recordSigns } from '../support/record-signs.js';
import { pendingActivities } from '../support/under-way.js';
import { until } from '../support/until.js';
import { publishPolicyFile, quietLog } from '../support/workers.js';

quietLog();
let live: Harness;
let taskQueue: string;
const gates = new Gates();
const historyLimit = 30;
const deletesAtOnce = `deletes-at-once-${randomUUID().slice(0, 8)}`;

let arePoliciesAway = false;
/** As while PostgreSQL does not answer. */
function withoutPolicies(activities: object): object {
  if (!('checkPolicy' in activities)) return activities;
  const check = activities.checkPolicy as (input: unknown) => Promise<unknown>;
  const checkPolicy = (input: unknown) =>
    arePoliciesAway ? Promise.reject(new Error('PostgreSQL is away')) : check(input);
  return { ...activities, checkPolicy };
}

beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers({}, { wrap: (activities) => withoutPolicies(gates.wrap(activities)) });
  await publishPolicyFile(live.pool, 'policies/default.yaml');
  await live.publish(`
id: ${deletesAtOnce}
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
retry: { attempts: 5, firstAfter: 1s, longestAfter: 2s }
`);
});
afterAll(() => live.end());

interface Life {
  readonly id: string;
  readonly handle: LifecycleHandle;
}
const operator = { schemaVersion: 1, actor: 'op-1' } as const;
const hold = ({ handle }: Life, reason = 'leave') =>
  handle.executeUpdate(holdUpdate, { args: [{ ...operator, reason, until: Date.now() + 30 * dayMs }] });
const applyPolicy = ({ handle }: Life) =>
  handle.executeUpdate(applyPolicyUpdate, { args: [{ ...operator, policyId: 'default' }] });

/** @returns what the update was refused with */
async function refusal(update: Promise<unknown>): Promise<string | undefined> {
  const error = await update.catch((caught: unknown) => caught);
  return error instanceof WorkflowUpdateFailedError ? error.cause?.message : String(error);
}

describe('a run that continues as new', () => {
  /** A full history, and a request whose check of the policy is held back. */
  async function fullWithCheckPending() {
    const { id } = await live.people.create('waits');
    const handle = await live.enrol(id, taskQueue, { historyLimit, activity: { human: Date.now() } });
    const life = { id, handle };
    await until('the first look', async () => (await live.audit(id)).length > 0);
    const check = gates.close('checkPolicy');
    const applied = applyPolicy(life);
    await check.reached;
    const runId = await live.runIdOf(handle);
    await until('a full history', async () => {
      await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: 1 });
      return (await handle.describe()).historyLength > historyLimit;
    });
    await until('nothing but the check is under way', async () => {
      const { raw } = await handle.describe();
      const names = (await pendingActivities(handle)).map(({ name }) => name);
      return raw.pendingWorkflowTask == null && names.length === 1 && names[0] === 'checkPolicy';
    });
    return { life, check, applied, runId };
  }
  const renewed = ({ handle }: Life, before: string) =>
    until('another run', async () => (await live.runIdOf(handle)) !== before);

  test('while a policy is checked waits for the check, answers, and continues in a fresh history', async () => {
    const { life, check, applied, runId } = await fullWithCheckPending();
    expect(await live.runIdOf(life.handle)).toBe(runId);
    check.open();
    expect((await applied).policy?.id).toBe('default');
    await renewed(life, runId);
    expect((await hold(life)).blocked?.by).toBe('hold');
  });

  test('while a policy is checked lets a hold in, and answers it before the check ends', async () => {
    const { life, check, applied, runId } = await fullWithCheckPending();
    expect((await hold(life)).blocked?.by).toBe('hold');
    check.open();
    expect((await applied).policy?.id).toBe('default');
    await renewed(life, runId);
    expect((await live.audit(life.id)).filter(({ eventType }) => eventType === 'hold_set')).toHaveLength(1);
  });
});

test('changes of policy are refused in the end if the policy can not be read, and block no other request', async () => {
  const { id } = await live.people.create('waits');
  const life = { id, handle: await live.enrol(id, taskQueue, { activity: { human: Date.now() } }) };
  await until('the first look', async () => (await live.audit(id)).length > 0);
  arePoliciesAway = true;
  // As many as are taken at once.
  const refusals = await Promise.all(Array.from({ length: 10 }, () => refusal(applyPolicy(life))));
  arePoliciesAway = false;
  for (const message of refusals) expect(message).toMatch(/could not be looked up, so nothing was changed/);
  expect((await live.audit(id)).map(({ eventType }) => eventType)).toEqual(['lifecycle_started']);
  expect((await hold(life)).blocked?.by).toBe('hold');
  expect((await applyPolicy(life)).policy?.id).toBe('default');
});

describe.concurrent('a life that ends', () => {
  async function enrolled(): Promise<Life> {
    const { id } = await live.people.create('waits');
    const handle = await live.enrol(id, taskQueue, { policyId: deletesAtOnce });
    return { id, handle };
  }
  const lastRecordOf = ({ id }: Life) =>
    gates.close<{ standing: Standing }>(
      'record',
      ({ standing }) => standing.identityId === id && standing.stage === 'deleted',
    );
  const of =
    ({ id }: Life) =>
    (input: { identityId: string }) =>
      input.identityId === id;

  test('refuses a hold that comes while its end is written', async () => {
    const life = await enrolled();
    const record = lastRecordOf(life);
    await record.reached;
    expect(await refusal(hold(life))).toMatch(/the lifecycle has ended: the identity was deleted/);
    record.open();
    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
  });

  test('answers holds that came during the deletion and during the last look', async () => {
    const life = await enrolled();
    const burial = gates.close('bury', of(life));
    await burial.reached;
    const look = gates.close('assess', of(life));
    const during = hold(life, 'during the deletion');
    await until('the hold', async () => {
      const { events } = await life.handle.fetchHistory();
      return events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null);
    });
    burial.open();
    await look.reached;
    const later = hold(life, 'during the look');
    await until('the second hold', async () => {
      const { events } = await life.handle.fetchHistory();
      const accepted = events?.filter(
        (event) => event.workflowExecutionUpdateAcceptedEventAttributes != null,
      );
      return accepted?.length === 2;
    });
    look.open();
    expect(await Promise.all([during, later])).toMatchObject([{ stage: 'deleted' }, { stage: 'deleted' }]);
    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
    expect((await live.audit(life.id)).filter(({ eventType }) => eventType === 'hold_set')).toHaveLength(2);
  });

  test('refuses a policy whose check outlasts it', async () => {
    const life = await enrolled();
    const record = lastRecordOf(life);
    const check = gates.close('checkPolicy');
    const burial = gates.close('bury', of(life));
    await burial.reached;
    const applied = refusal(applyPolicy(life));
    await check.reached;
    burial.open();
    await record.reached;
    record.open();
    await until('only the check is under way', async () => {
      const names = (await pendingActivities(life.handle)).map(({ name }) => name);
      return names.join() === 'checkPolicy';
    });
    check.open();
    expect(await applied).toMatch(/the lifecycle has ended/);
    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
  });

  const retry = ({ handle }: Life) => handle.executeUpdate(retryParkedUpdate, { args: [operator] });
  const refusesIt = ({ handle }: Life) =>
    until('parked', async () => (await handle.query(standingQuery)).parked?.errorType === 'RecordRefused');

  test('waits for an operator where PostgreSQL refuses to write it, and nothing of it is lost', async () => {
    const life = await enrolled();
    const record = lastRecordOf(life);
    await record.reached;
    await live.pool.query(
      `ALTER TABLE audit ADD CONSTRAINT refused CHECK (target <> '${life.id}' OR event_type <> 'account_deleted') NOT VALID`,
    );
    try {
      record.open();
      await refusesIt(life);
      expect(await refusal(hold(life))).toMatch(/the lifecycle has ended/);
      const retriedInVain = await retry(life);
      expect(retriedInVain.parked).toMatchObject({ step: 'record', errorType: 'RecordRefused' });
      expect((await life.handle.describe()).status.name).toBe('RUNNING');
    } finally {
      await live.pool.query('ALTER TABLE audit DROP CONSTRAINT refused');
    }
    expect(await retry(life)).not.toHaveProperty('parked');
    expect(await life.handle.result()).toMatchObject({ outcome: 'deleted' });
    const events = (await live.audit(life.id)).map(({ eventType }) => eventType);
    expect(events.filter((event) => event === 'account_deleted')).toHaveLength(1);
    expect(events).toEqual(expect.arrayContaining(['step_parked', 'parked_retried']));
    expect((await readStanding(live.pool, life.id))?.stage).toBe('deleted');
  });

  test('waits for an operator where PostgreSQL refuses to forget somebody whom Kratos never knew', async () => {
    const id = randomUUID();
    await recordSigns(live.pool, [{ identityId: id, at: Date.now(), kind: 'human', source: 'app' }]);
    await live.pool.query(`
      CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23503'; END $$;
      CREATE TRIGGER refuse_to_forget BEFORE DELETE ON identity_activity FOR EACH ROW
        WHEN (OLD.identity_id = '${id}') EXECUTE FUNCTION refuse_to_forget();`);
    const life = { id, handle: await live.enrol(id, taskQueue) };
    try {
      await refusesIt(life);
    } finally {
      await live.pool.query('DROP FUNCTION refuse_to_forget CASCADE');
    }
    await retry(life);
    expect(await life.handle.result()).toMatchObject({ outcome: 'gone' });
    expect(await readSigns(live.pool, id)).toEqual({});
  });

  /** Kratos no longer has it, and an operator confirms the absence. */
  async function dueForBurial(): Promise<Life> {
    const { id } = await live.people.create('waits');
    const handle = await live.enrol(id, taskQueue, { activity: { human: Date.now() } });
    await until('the first look', async () => (await live.audit(id)).length > 0);
    await live.people.identities.deleteIdentity({ id });
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await until('missing', async () => (await readStanding(live.pool, id))?.blocked?.by === 'missing');
    const word = { identityId: id, actor: 'op-1', reason: 'CASE-7', withoutGrace: true };
    await confirmAbsence(live.pool, { ...word, at: Date.now() });
    return { id, handle };
  }

  test('because Kratos no longer has the identity refuses a hold during the burial', async () => {
    const life = await dueForBurial();
    const burial = gates.close('buryMissing', of(life));
    await life.handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await burial.reached;
    expect(await refusal(hold(life))).toMatch(/Kratos no longer has the identity/);
    burial.open();
    expect(await life.handle.result()).toMatchObject({ outcome: 'gone' });
  });

  test('is called off by a hold that comes before its last call, while the breaker is asked', async () => {
    const life = await dueForBurial();
    const breaker = gates.close('passBreaker', of(life));
    await life.handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await breaker.reached;
    const held = hold(life);
    await until('the hold', async () => {
      const { events } = await life.handle.fetchHistory();
      return events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null);
    });
    breaker.open();
    expect((await held).blocked?.by).toBe('hold');
    expect(await isBuried(live.pool, life.id)).toBe(false);
  });
});
