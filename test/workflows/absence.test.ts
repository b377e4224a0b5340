/**
 * Lifecycles of identities that Kratos does not know any more, in skipped time on the real stack: what is kept meanwhile, and what
 * is there again. Whoever is hidden is answered with 404 by a proxy, in Kratos' own words.
 */

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { kindsFor } from '../../dev/demo/mailbox.js';
import type { Person } from '../../dev/demo/ory-people.js';
import { confirmAbsence } from '../../src/absence/confirmations-table.js';
import { noteWitness } from '../../src/absence/witnesses-table.js';
import { tripAndAudit } from '../../src/breaker/decisions.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { holdUpdate, lookAgainSignal, standingQuery } from '../../src/workflows/messages.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { forgetWitnesses } from '../support/kratos-database.js';
import { notFound } from '../support/not-found.js';
import { recordSigns } from '../support/record-signs.js';

const policy = `
id: absent
ladder:
  warn: { after: 10d }
  suspend: { after: 20d, noticeFloor: 7d }
  revoke: { after: 400d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }
absence: { looks: 3, over: 1d, grace: 5d }
breaker: { stall: off }
recheck: 7d
jitter: none
retry: { attempts: 5, firstAfter: 10s, longestAfter: 1h }
`;
let journey: Journey;
let kratos: FaultProxy;
let taskQueue: string;
beforeAll(async () => {
  const stack = inject('stack');
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
  await journey.publish(policy);
});
beforeEach(async () => {
  // Identities of other tests may be deleted by now.
  await forgetWitnesses(journey.pool);
  await clearBreaker(journey.pool);
});
afterEach(async () => {
  kratos.heal();
  await journey.forgetLifecycles();
});
afterAll(async () => {
  await journey.end();
  await kratos.close();
});

interface Cast {
  readonly person: Person;
  readonly handle: LifecycleHandle;
  toDay(day: number): Promise<void>;
}

/** @param others who can stand for the identity. Enrolled on day 0, last seen then */
async function begin(name: string, others = 2): Promise<Cast> {
  for (let i = 0; i < others; i += 1) {
    const { id } = await journey.people.create('other');
    const { data } = await journey.people.identities.getIdentity({ id });
    const createdAt = Date.parse(data.created_at ?? '');
    // As a look at them would; each process notes some at once, and few later.
    await noteWitness(journey.pool, { identityId: id, createdAt, seenAt: await journey.now() });
  }
  const person = await journey.people.create(name);
  const startedAt = await journey.now();
  await journey.dateIdentity(person.id, startedAt);
  await recordSigns(journey.pool, [{ identityId: person.id, at: startedAt, kind: 'human', source: 'app' }]);
  const handle = await journey.enrol(person.id, taskQueue, { policyId: 'absent' });
  await journey.rest(handle);
  const slackMs = 600_000;
  return { person, handle, toDay: (day) => journey.travelTo(startedAt + day * dayMs + slackMs) };
}

const hide = ({ person }: Cast) => kratos.inject(notFound, new RegExp(`GET /admin/identities/${person.id}`));
const wake = async ({ handle }: Cast) => {
  await handle.signal(lookAgainSignal, { schemaVersion: 1 });
  await journey.rest(handle);
};
const auditOf = async ({ person }: Cast) => lines(await journey.audit(person.id));
const isForgotten = async ({ person }: Cast) =>
  (await readSigns(journey.pool, person.id)).human === undefined;

describe('an identity that Kratos does not know any more', () => {
  test('is missing, loses no data, and is buried after looks and grace', async () => {
    const cast = await begin('deleted-elsewhere');
    await journey.people.identities.deleteIdentity({ id: cast.person.id });
    await cast.toDay(10);
    expect(await readStanding(journey.pool, cast.person.id)).toMatchObject({
      stage: 'active',
      blocked: {
        by: 'missing',
        why: expect.stringMatching(/^missing since .*Kratos did not know it at 1 of 3 looks/),
      },
    });
    await cast.toDay(15.9);
    expect(await isForgotten(cast)).toBe(false);
    expect(await cast.handle.query(standingQuery)).toMatchObject({
      next: { rung: 'bury' },
      blocked: { by: 'missing' },
    });
    await cast.toDay(16.1);
    expect(await cast.handle.result()).toEqual({ schemaVersion: 1, outcome: 'gone' });
    expect(await isForgotten(cast)).toBe(true);
    expect(await isBuried(journey.pool, cast.person.id)).toBe(true);
    expect(await auditOf(cast)).toEqual(['0 lifecycle_started', '10 identity_missing', '16 identity_gone']);
  });

  test('is never buried while others are missing, too, for more than a year', async () => {
    const cast = await begin('in-another-Kratos');
    kratos.inject(notFound, /GET \/admin\/identities\//);
    await wake(cast);
    await cast.toDay(390);
    expect(await isForgotten(cast)).toBe(false);
    expect(await cast.handle.query(standingQuery)).toMatchObject({
      stage: 'active',
      blocked: {
        by: 'missing',
        why: expect.stringContaining('others that were there before are missing, too'),
      },
    });
    kratos.heal();
    await wake(cast);
    expect((await auditOf(cast)).filter((line) => !line.includes('identity_'))).toEqual([
      '0 lifecycle_started',
      '390 inactivity_warned',
    ]);
  });

  test('that shows up before its burial continues from its stage, with notices anew', async () => {
    const cast = await begin('hidden-for-days');
    await cast.toDay(21);
    hide(cast);
    await wake(cast);
    await cast.toDay(25);
    expect(await cast.handle.query(standingQuery)).toMatchObject({
      stage: 'suspended',
      blocked: { by: 'missing' },
    });
    kratos.heal();
    await wake(cast);
    expect(await cast.handle.query(standingQuery)).toMatchObject({ stage: 'suspended' });
    expect((await cast.handle.query(standingQuery)).blocked).toBeUndefined();
    expect(await auditOf(cast)).toEqual([
      '0 lifecycle_started',
      '10 inactivity_warned',
      '20 actions_suspended',
      '21 identity_missing',
      '25 identity_reappeared',
    ]);
  });

  test('that shows up after its burial takes up stage and clock, and the tombstone is lifted', async () => {
    const cast = await begin('hidden-for-a-month');
    await cast.toDay(21);
    hide(cast);
    await wake(cast);
    await cast.toDay(30);
    // Asking for the result would let the server skip time to the end of all things.
    expect((await cast.handle.describe()).status.name).toBe('COMPLETED');
    expect(await isForgotten(cast)).toBe(true);
    kratos.heal();
    const again = await journey.enrol(cast.person.id, taskQueue, { policyId: 'absent' });
    await journey.rest(again);
    const standing = await again.query(standingQuery);
    const suspendedAt = standing.completed.suspend ?? 0;
    expect(Math.round((suspendedAt - standing.lastActiveAt) / dayMs)).toBe(20);
    expect(await isBuried(journey.pool, cast.person.id)).toBe(false);
    expect((await auditOf(cast)).slice(-2)).toEqual([
      expect.stringContaining('lifecycle_started'),
      expect.stringContaining('identity_reappeared'),
    ]);
  });

  test('is not buried on hold; after the hold it is', async () => {
    const cast = await begin('on-legal-hold');
    await cast.handle.executeUpdate(holdUpdate, {
      args: [
        {
          schemaVersion: 1,
          actor: 'op-1',
          reason: 'case 7',
          kind: 'legal',
          until: (await journey.now()) + 60 * dayMs,
        },
      ],
    });
    await journey.people.identities.deleteIdentity({ id: cast.person.id });
    await wake(cast);
    await cast.toDay(50);
    expect(await isForgotten(cast)).toBe(false);
    expect(await cast.handle.query(standingQuery)).toMatchObject({ blocked: { by: 'hold' } });
    await cast.toDay(62);
    expect(await cast.handle.result()).toMatchObject({ outcome: 'gone' });
  });

  test('waits for a tripped breaker, says so, and continues after the release', async () => {
    const cast = await begin('held');
    await journey.people.identities.deleteIdentity({ id: cast.person.id });
    await wake(cast);
    await inTransaction(journey.pool, (client) =>
      tripAndAudit(client, { scope: 'bury', cause: 'operator', why: 'a test', trippedAt: 1, operators: 1 }),
    );
    await cast.toDay(9);
    expect(await cast.handle.query(standingQuery)).toMatchObject({
      next: { rung: 'bury' },
      blocked: { by: 'breaker' },
    });
    expect(await isForgotten(cast)).toBe(false);
    await clearBreaker(journey.pool);
    await cast.toDay(11);
    expect(await cast.handle.result()).toMatchObject({ outcome: 'gone' });
  });

  test('without others as a control waits for an operator’s word', async () => {
    const cast = await begin('alone', 0);
    await journey.people.identities.deleteIdentity({ id: cast.person.id });
    await forgetWitnesses(journey.pool);
    await wake(cast);
    await cast.toDay(100);
    expect(await cast.handle.query(standingQuery)).toMatchObject({
      blocked: { by: 'missing', why: expect.stringContaining('nobody else is known') },
    });
    await confirmAbsence(journey.pool, {
      identityId: cast.person.id,
      actor: 'op-1',
      reason: 'CASE-7',
      withoutGrace: true,
      at: await journey.now(),
    });
    await cast.handle.signal(lookAgainSignal, { schemaVersion: 1 });
    expect(await cast.handle.result()).toMatchObject({ outcome: 'gone' });
  });
});

test('an identity that neither Kratos nor PostgreSQL knows is forgotten at once', async () => {
  await begin('other', 1);
  const identityId = randomUUID();
  await recordSigns(journey.pool, [{ identityId, at: await journey.now(), kind: 'human', source: 'app' }]);
  const handle = await journey.enrol(identityId, taskQueue, { policyId: 'absent' });
  expect(await handle.result()).toMatchObject({ outcome: 'gone' });
  expect(await readSigns(journey.pool, identityId)).toEqual({});
  expect(await isBuried(journey.pool, identityId)).toBe(false);
});

test('a lifecycle that was lost is not forgotten by the look of its successor in another Kratos', async () => {
  const cast = await begin('lost');
  await cast.handle.terminate('lost');
  kratos.inject(notFound, /GET \/admin\/identities\//);
  const again = await journey.enrol(cast.person.id, taskQueue, { policyId: 'absent' });
  await journey.rest(again);
  await cast.toDay(20);
  expect(await isForgotten(cast)).toBe(false);
  expect(await again.query(standingQuery)).toMatchObject({ blocked: { by: 'missing' } });
});

describe('a lifecycle that was lost and is started again', () => {
  test('continues from its stage, notices and clock; nothing comes earlier, no mail goes twice', async () => {
    const cast = await begin('lost-and-found');
    await cast.toDay(394);
    const before = await cast.handle.query(standingQuery);
    expect(before).toMatchObject({ stage: 'suspended', next: { rung: 'revoke', step: 'rung' } });
    await cast.handle.terminate('lost');
    const again = await journey.enrol(cast.person.id, taskQueue, { policyId: 'absent' });
    await journey.rest(again);
    const after = await again.query(standingQuery);
    const { stage, since, lastActiveAt, notices, completed, next } = before;
    expect(after).toMatchObject({ stage, since, lastActiveAt, notices, completed, next });
    await cast.toDay(399);
    expect((await again.query(standingQuery)).stage).toBe('suspended');
    await cast.toDay(401);
    const audit = await journey.audit(cast.person.id);
    expect(lines(audit)).toEqual([
      '0 lifecycle_started',
      '10 inactivity_warned',
      '20 actions_suspended',
      '393 notice_sent',
      '394 lifecycle_started',
      '400 tokens_revoked_stale',
    ]);
    expect(audit.filter(({ outcome }) => outcome === 'restarted')).toHaveLength(1);
    expect(audit.at(-1)?.detail).toMatchObject({ type: 'ladder' });
    expect(kindsFor(await journey.mails(), cast.person.email)).toEqual(['warn', 'notice-revoke']);
  });
});
