/** Messages that a lifecycle accepts or refuses: on the real Temporal server, with the real activities. */
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import type { Standing } from '../../src/domain/standing.js';
import { holdUpdate, standingQuery, userActivitySignal } from '../../src/workflows/messages.js';
import { type SmtpFixture, startSmtp } from '../mail/smtp-fixture.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { isRetried } from '../support/under-way.js';
import { until } from '../support/until.js';
import { publishPolicyFile, quietLog } from '../support/workers.js';

const log = quietLog();
let live: Harness;
let taskQueue: string;

beforeAll(async () => {
  live = await openHarness();
  taskQueue = await live.startWorkers();
  await publishPolicyFile(live.pool, 'policies/default.yaml');
});
afterAll(() => live.end());

/** A person at the bottom of the default ladder, long before the first step. */
async function enrolled(): Promise<{ id: string; handle: LifecycleHandle; seenAt: number }> {
  const { id } = await live.people.create('messages');
  const seenAt = Date.now();
  const handle = await live.enrol(id, taskQueue, { activity: { human: seenAt } });
  await until('the first look', async () => (await live.audit(id)).length > 0);
  return { id, handle, seenAt };
}

const actor = 'op-1';
const reason = 'because';
const inAWeek = () => Date.now() + 7 * dayMs;

describe('what is refused', () => {
  let id: string;
  let handle: LifecycleHandle;
  let before: Standing;
  beforeAll(async () => {
    ({ id, handle } = await enrolled());
    before = await handle.query(standingQuery);
  });

  // biome-ignore format: a table
  const refusals: [string, string, () => unknown, RegExp][] = [
    ['an e-mail address as actor', 'hold', () => ({ actor: 'jo@example.com', reason, until: inAWeek() }), /^actor: .*never an e-mail address/],
    ['an empty actor', 'hold', () => ({ actor: '', reason, until: inAWeek() }), /^actor: /],
    ['a long actor', 'hold', () => ({ actor: 'a'.repeat(65), reason, until: inAWeek() }), /^actor: /],
    ['no actor', 'release', () => ({ reason }), /^actor: /],
    ['no actor (reactivate)', 'reactivate', () => ({ reason }), /^actor: /],
    ['no actor (retryParked)', 'retryParked', () => ({}), /^actor: /],
    ['no actor (applyPolicy)', 'applyPolicy', () => ({ policyId: 'default' }), /^actor: /],
    ['an empty reason', 'hold', () => ({ actor, reason: '', until: inAWeek() }), /^reason: is empty/],
    ['a blank reason', 'hold', () => ({ actor, reason: '   ', until: inAWeek() }), /^reason: is empty/],
    ['no reason', 'release', () => ({ actor }), /^reason: is empty/],
    ['a long reason', 'hold', () => ({ actor, reason: 'r'.repeat(201), until: inAWeek() }), /^reason: is longer than 200/],
    ['an address in the reason', 'hold', () => ({ actor, reason: 'asked by jo@example.com', until: inAWeek() }), /^reason: .*opaque ids/],
    ['an end in the past', 'hold', () => ({ actor, reason, until: Date.now() - 1_000 }), /^until: is in the past/],
    ['an end in more than ten years', 'hold', () => ({ actor, reason, until: Date.now() + 3_660 * dayMs }), /^until: is more than three years/],
    ['an end of a legal hold in more than ten years', 'hold', () => ({ actor, reason, kind: 'legal', until: Date.now() + 3_660 * dayMs }), /^until: is more than ten years/],
    ['a kind of hold that is none', 'hold', () => ({ actor, reason, kind: 'holiday', until: inAWeek() }), /^kind: is not a kind of hold.*leave, legal, other/],
    ['a kind of release that is none', 'release', () => ({ actor, reason, kind: 'all' }), /^kind: is not a kind of hold/],
    ['a skip with nothing parked', 'skipParked', () => ({ actor, reason }), /no step is parked/],
    ['a skip without a reason', 'skipParked', () => ({ actor }), /^reason: is empty/],
    ['an end that is no number', 'hold', () => ({ actor, reason, until: 'tomorrow' }), /^until: must be epoch/],
    ['no end', 'hold', () => ({ actor, reason }), /^until: must be epoch/],
    ['a release without a hold', 'release', () => ({ actor, reason }), /no hold to release/],
    ['a reactivation of somebody active', 'reactivate', () => ({ actor, reason }), /has not deactivated.*fresh sign-in/],
    ['a retry with nothing parked', 'retryParked', () => ({ actor }), /no step is parked/],
    ['a policy that was never published', 'applyPolicy', () => ({ actor, policyId: 'no-such-policy' }), /"no-such-policy" was never published/],
    ['a version that was never published', 'applyPolicy', () => ({ actor, policyId: 'default', version: 999 }), /version 999 was never published/],
    ['a policy id that is none', 'applyPolicy', () => ({ actor, policyId: 'Not An Id' }), /^policyId: /],
    ['a version that is none', 'applyPolicy', () => ({ actor, policyId: 'default', version: 1.5 }), /^version: /],
    ['a version beyond PostgreSQL\'s integer', 'applyPolicy', () => ({ actor, policyId: 'default', version: 2_147_483_648 }), /^version: .*1 to 2147483647/],
    ['a NUL in the reason', 'hold', () => ({ actor, reason: 'a\u0000', until: inAWeek() }), /^reason: holds a control character at position 2/],
    ['half of a surrogate pair in the reason', 'release', () => ({ actor, reason: 'a\ud800' }), /^reason: holds half of a surrogate pair/],
    ['a direction override in the reason', 'reactivate', () => ({ actor, reason: 'a\u202eb' }), /^reason: holds a character that changes the direction/],
    ['a private-use character in the reason', 'skipParked', () => ({ actor, reason: 'a\ue000' }), /^reason: holds a private-use character/],
    ['the engine as actor', 'hold', () => ({ actor: 'engine', reason, until: inAWeek() }), /^actor: "engine" is a name that only Dormouse writes/],
    ['self-service as actor', 'reactivate', () => ({ actor: 'self-service', reason }), /^actor: "self-service" is a name that only Dormouse writes/],
    ['nothing at all', 'hold', () => null, /one object/],
    ['a text', 'applyPolicy', () => 'default', /one object/],
  ];

  test.each(refusals)('%s', async (_name, update, request, message) => {
    const payload = request();
    const args: [unknown] = [
      typeof payload === 'object' && payload !== null ? { schemaVersion: 1, ...payload } : payload,
    ];
    const error = await handle
      .executeUpdate<unknown, [unknown]>(update, { args })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    expect(cause?.message).toMatch(message);
    // Error messages land in logs, so they do not repeat the input, which may be personal.
    expect(cause?.message).not.toContain('jo@example.com');
  });

  test('and no refused message changed the workflow', async () => {
    const after = await handle.query(standingQuery);
    expect({ ...after, why: '' }).toEqual({ ...before, why: '' });
    expect((await live.audit(id)).map(({ eventType }) => eventType)).toEqual(['lifecycle_started']);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    const held = await handle.executeUpdate(holdUpdate, {
      args: [{ schemaVersion: 1, actor, reason, until: inAWeek() }],
    });
    expect(held.blocked?.by).toBe('hold');
  });
});

describe('a record that PostgreSQL refuses', () => {
  test('is parked and freezes nobody; when it is taken again, nothing of it is missing', async () => {
    const { id, handle, seenAt } = await enrolled();
    await live.pool.query(`ALTER TABLE audit ADD CONSTRAINT refused CHECK (target <> '${id}') NOT VALID`);
    try {
      const held = await handle.executeUpdate(holdUpdate, {
        args: [{ schemaVersion: 1, actor, reason, until: inAWeek() }],
      });
      expect(held.parked).toMatchObject({ step: 'record', errorType: 'RecordRefused' });
      await handle.signal(userActivitySignal, {
        ...{ schemaVersion: 1, kind: 'human', source: 'app' },
        at: Date.now(),
      });
      // The return forgets the parked step, and its own record is refused as well.
      await until('the sign of life counts, and the record is parked anew', async () => {
        const { activity, parked } = await handle.query(standingQuery);
        return (activity.human ?? 0) > seenAt && parked !== undefined && parked.since !== held.parked?.since;
      });
      expect((await handle.describe()).status.name).toBe('RUNNING');
    } finally {
      await live.pool.query('ALTER TABLE audit DROP CONSTRAINT refused');
    }
    const retried = await handle.executeUpdate('retryParked', { args: [{ schemaVersion: 1, actor }] });
    expect(retried).not.toHaveProperty('parked');
    const events = (await live.audit(id)).map(({ eventType }) => eventType);
    expect(events).toEqual(expect.arrayContaining(['lifecycle_started', 'hold_set', 'step_parked']));
  });

  test('an update whose ID can not stand in the log is carried out, and audited under another name', async () => {
    const { id, handle } = await enrolled();
    await handle.executeUpdate(holdUpdate, {
      updateId: 'id with a \u202e and "quotes"',
      args: [{ schemaVersion: 1, actor, reason, until: inAWeek() }],
    });
    expect((await live.audit(id)).map(({ eventType }) => eventType)).toContain('hold_set');
  });
});

describe('signs of life', () => {
  // biome-ignore format: a table
  const nonsense: [string, unknown][] = [
    ['nothing at all', null],
    ['a text', 'alive'],
    ['a list', []],
    ['no time', { kind: 'human', source: 'app' }],
    ['a time that is a text', { kind: 'human', source: 'app', at: 'today' }],
    ['a time before the epoch', { kind: 'human', source: 'app', at: -5 }],
    ['a kind that is none', { kind: 'robot', source: 'app', at: Date.now() }],
    ['no kind', { source: 'app', at: Date.now() }],
  ];
  test.each(nonsense)('%s is ignored, and logged', async (_name, payload) => {
    const { handle, seenAt } = await enrolled();
    const logged = log.length;
    await handle.signal('userActivity', payload);
    const standing = await handle.query(standingQuery);
    expect(standing.activity).toEqual({ human: seenAt });
    expect(log.slice(logged).map(({ message }) => message)).toContain('a sign of life was ignored');
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('from the future they are clamped to now', async () => {
    const { handle } = await enrolled();
    await handle.signal(userActivitySignal, {
      schemaVersion: 1,
      kind: 'human',
      source: 'app',
      at: Date.now() + dayMs,
    });
    const { lastActiveAt } = await handle.query(standingQuery);
    expect(lastActiveAt).toBeLessThanOrEqual(Date.now());
  });

  test('late, repeated and out of order they are harmless', async () => {
    const { handle, seenAt, id } = await enrolled();
    const latest = Date.now();
    const times = [latest, 1, seenAt - 9_000 * dayMs, latest - 5, latest, seenAt - dayMs, 1];
    for (const at of times)
      await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at });
    expect((await handle.query(standingQuery)).activity).toEqual({ human: latest });
    expect((await live.audit(id)).map(({ eventType }) => eventType)).toEqual(['lifecycle_started']);
  });
});

describe('while a step is retried', () => {
  let smtp: SmtpFixture;
  let queueWithoutMail: string;
  const policyId = `outage-${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    smtp = await startSmtp({ connect: () => ({ code: 421, text: 'try later' }) });
    queueWithoutMail = await live.startWorkers({ DORMOUSE_SMTP_URL: smtp.url });
    // The second attempt would come after an hour: whatever happens within the test did not wait for it.
    await live.publish(`
id: ${policyId}
allowShortDurations: true
ladder:
  warn: { after: 1s }
recheck: 1h
retry: { attempts: 5, firstAfter: 1h, longestAfter: 1h }
`);
  });
  afterAll(() => smtp.close());

  async function stuck(): Promise<{ id: string; handle: LifecycleHandle }> {
    const { id } = await live.people.create('stuck');
    const connections = smtp.connections();
    const handle = await live.enrol(id, queueWithoutMail, { policyId });
    await until('the first attempt to fail', async () => {
      return smtp.connections() > connections && (await isRetried(handle, 'sendMail'));
    });
    return { id, handle };
  }
  const eventsOf = async (id: string) => (await live.audit(id)).map(({ eventType }) => eventType);

  test('a sign of life interrupts the wait at once', async () => {
    const { id, handle } = await stuck();
    expect(await handle.query(standingQuery)).toMatchObject({ inProgress: 'warn' });
    await handle.signal(userActivitySignal, {
      schemaVersion: 1,
      kind: 'human',
      source: 'app',
      at: Date.now(),
    });
    await until('the return', async () => (await eventsOf(id)).includes('returned'));
  });

  test("an operator's hold interrupts the wait at once, and is answered", async () => {
    const { id, handle } = await stuck();
    const standing = await handle.executeUpdate(holdUpdate, {
      args: [{ schemaVersion: 1, actor, reason, until: inAWeek() }],
    });
    expect(standing.blocked?.by).toBe('hold');
    expect(await eventsOf(id)).toEqual(['lifecycle_started', 'hold_set']);
    expect((await live.people.identities.getIdentity({ id })).data.state).toBe('active');
  });

  test('an old sign of life changes nothing', async () => {
    const { handle } = await stuck();
    await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: 5 });
    expect(await handle.query(standingQuery)).toMatchObject({ inProgress: 'warn' });
  });
});
