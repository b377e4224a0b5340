/** Absence on the real Kratos and PostgreSQL: looks that do not find an identity, burials, and returns. */

import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { OryPeople, type Person } from '../../dev/demo/ory-people.js';
import { confirmAbsence } from '../../src/absence/confirmations-table.js';
import { noteWitness } from '../../src/absence/witnesses-table.js';
import { createBreakerActivities } from '../../src/activities/breaker.js';
import { createBurialActivities } from '../../src/activities/burial.js';
import { createKratosActivities } from '../../src/activities/kratos.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import { readAudit } from '../../src/audit/log-table.js';
import { tripAndAudit } from '../../src/breaker/decisions.js';
import { countGrants } from '../../src/breaker/grants-table.js';
import { buryIdentity, isBuried, liftTombstone, readBurial } from '../../src/deletion/tombstones-table.js';
import type { Remembered } from '../../src/domain/lifecycle/state.js';
import { createOryClients } from '../../src/ory/clients.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { createPool, inTransaction } from '../../src/postgres/pool.js';
import { systemClock } from '../../src/process/clock.js';
import { StepError } from '../../src/process/step-error.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { readDisablement } from '../../src/standings/disablements-table.js';
import { rulesOf } from '../support/breaker-rules.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { notFound } from '../support/not-found.js';
import { recordSigns } from '../support/record-signs.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { publish, slowPolicy } from '../support/system-outside.js';
import { until } from '../support/until.js';

const stack = inject('stack');
const people = new OryPeople(stack);
let database: FreshDatabase;
let pool: pg.Pool;
let kratos: FaultProxy;
let activities: ReturnType<typeof createKratosActivities> &
  ReturnType<typeof createKratosDeletionActivities> &
  ReturnType<typeof createBurialActivities>;
beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  const { identities } = createOryClients({
    kratosAdminUrl: kratos.url,
    hydraAdminUrl: stack.hydra.adminUrl,
  });
  const deps = { identities, pool, clock: systemClock, policies: new PolicyReader(pool) };
  activities = {
    ...createKratosActivities(deps),
    ...createKratosDeletionActivities(deps),
    ...createBurialActivities(deps),
  };
  await publish(pool, slowPolicy('p'));
});
beforeEach(() => pool.query('TRUNCATE kratos_witness, absence_confirmation, deletion_intent'));
afterEach(async () => {
  kratos.heal();
  await clearBreaker(pool);
});
afterAll(async () => {
  await kratos.close();
  await database.close();
});

const hides = (identityId: string) =>
  kratos.inject(notFound, new RegExp(`GET /admin/identities/${identityId}`));
const assess = (identityId: string) => activities.assess({ identityId, policyChoice: { id: 'p' } });
/** An identity that exists in Kratos and was seen. */
async function witness(): Promise<Person> {
  const person = await people.create('witness');
  await assess(person.id);
  // Each process notes some at once, and few then.
  const { data } = await people.identities.getIdentity({ id: person.id });
  await noteWitness(pool, {
    identityId: person.id,
    createdAt: Date.parse(data.created_at ?? ''),
    seenAt: Date.now(),
  });
  return person;
}

describe('a look that does not find an identity', () => {
  it('counts if Kratos still has the others', async () => {
    await Promise.all([witness(), witness()]);
    expect((await assess(randomUUID())).absence).toEqual({ control: 'witnessed', wasKnown: false });
  });

  it('uses identities found by earlier looks as witnesses', async () => {
    const seen = await people.create('seen');
    await assess(seen.id);
    expect((await assess(randomUUID())).absence).toMatchObject({ control: 'witnessed' });
  });

  it('is inconclusive if no other identity is known', async () => {
    expect((await assess(randomUUID())).absence).toEqual({ control: 'none', wasKnown: false });
  });

  it('is inconclusive if others are missing, too: an empty Kratos, another network, a gateway’s own 404', async () => {
    await Promise.all([witness(), witness()]);
    kratos.inject(notFound, /GET \/admin\/identities\//);
    expect((await assess(randomUUID())).absence).toMatchObject({
      control: 'doubted',
      why: expect.stringMatching(/^2 of 2 others that were there before are missing, too\./),
    });
  });

  it('is inconclusive if the identities created last are missing: a restored backup', async () => {
    const old = await Promise.all(Array.from({ length: 6 }, witness));
    const young = await Promise.all(Array.from({ length: 4 }, witness));
    const later = "now() + interval '1 day'";
    for (const { id } of young) {
      hides(id);
      await pool.query(`UPDATE kratos_witness SET created_at = ${later} WHERE identity_id = $1`, [id]);
    }
    // Identities from before the backup are still seen.
    for (const { id } of old) {
      await pool.query(`UPDATE kratos_witness SET seen_at = ${later} WHERE identity_id = $1`, [id]);
    }
    expect((await assess(randomUUID())).absence).toMatchObject({
      control: 'doubted',
      why: expect.stringMatching(/^4 of 8 others/),
    });
  });

  it('is inconclusive if another installation has the same ids with other dates of creation', async () => {
    const { id } = await witness();
    await pool.query(
      "UPDATE kratos_witness SET created_at = created_at - interval '1 second' WHERE identity_id = $1",
      [id],
    );
    expect((await assess(randomUUID())).absence).toMatchObject({
      control: 'doubted',
      why: expect.stringContaining('another date of creation'),
    });
  });

  it('counts although one of several others was deleted meanwhile', async () => {
    const others = await Promise.all([witness(), witness(), witness()]);
    await people.identities.deleteIdentity({ id: others[0]?.id ?? '' });
    expect((await assess(randomUUID())).absence).toMatchObject({ control: 'witnessed' });
  });

  it('fails if Kratos does not answer for the others', async () => {
    const { id } = await witness();
    kratos.inject({ kind: 'answer', status: 500, body: '{}' }, new RegExp(`GET /admin/identities/${id}`));
    await expect(assess(randomUUID())).rejects.toMatchObject({ type: 'KratosFailed' });
  });

  it('passes over another one that Kratos answers in a form that is not known, and is inconclusive if half of them are', async () => {
    const others = await Promise.all([witness(), witness(), witness(), witness()]);
    const answers = (id: string | undefined) =>
      kratos.inject(
        { kind: 'answer', status: 200, body: JSON.stringify({ id, state: 'archived' }) },
        new RegExp(`GET /admin/identities/${id}`),
      );
    answers(others[0]?.id);
    expect((await assess(randomUUID())).absence).toMatchObject({ control: 'witnessed' });
    answers(others[1]?.id);
    expect((await assess(randomUUID())).absence).toMatchObject({
      control: 'doubted',
      why: expect.stringContaining('2 of 4 others that were there before are missing or can not be read'),
    });
  });

  it('asks eight others at most, however many there are', async () => {
    await pool.query(
      `INSERT INTO kratos_witness SELECT gen_random_uuid(), now() - n * interval '1 day', now() - n * interval '1 hour'
       FROM generate_series(1, 500) AS n`,
    );
    await witness();
    const kept = await pool.query('SELECT FROM kratos_witness');
    expect(kept.rows.length).toBeLessThanOrEqual(64);
    const before = kratos.requests.length;
    await assess(randomUUID());
    expect(kratos.requests.length - before).toBeLessThanOrEqual(9);
  });
});

describe('a burial', () => {
  const since = () => Date.now() - 31 * 86_400_000;
  const remembered: Remembered = {
    activity: { human: 1_700_000_000_000 },
    baselineAt: 1_600_000_000_000,
    rungs: { warn: { begunAt: 1, completedAt: 2, inactiveSince: 0, afterMs: 3 } },
    stageSince: 2,
    policyChoice: { id: 'p', version: 1 },
  };
  const bury = (identityId: string, more: { granted?: { key: string } } = {}) =>
    activities.buryMissing({ identityId, missingSince: since(), remembered, ...more });
  const seen = async (identityId: string) => {
    await recordSigns(pool, [{ identityId, at: Date.now(), kind: 'human', source: 'app' }]);
    return identityId;
  };
  const isForgotten = async (identityId: string) => (await readSigns(pool, identityId)).human === undefined;

  it('forgets what is known, and keeps the state for an identity that shows up again', async () => {
    await witness();
    const id = await seen(randomUUID());
    expect(await bury(id)).toEqual({ outcome: 'done' });
    expect(await isForgotten(id)).toBe(true);
    expect(await readBurial(pool, id)).toEqual({ at: expect.any(Number), remembered });
    expect(await bury(id), 'again').toEqual({ outcome: 'done' });
  });

  it('of an identity that is there again does not happen', async () => {
    await witness();
    const { id } = await people.create('back');
    await seen(id);
    expect(await bury(id)).toEqual({ outcome: 'back' });
    expect(await isForgotten(id)).toBe(false);
  });

  it('does not happen while others are missing, too, nor if no other identity is known', async () => {
    const id = await seen(randomUUID());
    expect(await bury(id)).toEqual({ outcome: 'doubted' });
    await witness();
    kratos.inject(notFound, /GET \/admin\/identities\//);
    expect(await bury(id)).toEqual({ outcome: 'doubted' });
    expect(await isForgotten(id)).toBe(false);
  });

  it('happens without others by an operator’s word for this absence, which is audited; not by an earlier one', async () => {
    const id = await seen(randomUUID());
    const word = { identityId: id, actor: 'op-1', reason: 'CASE-7', withoutGrace: true };
    await confirmAbsence(pool, { ...word, at: since() - 1_000 });
    expect(await bury(id)).toEqual({ outcome: 'doubted' });
    await confirmAbsence(pool, { ...word, at: Date.now() });
    expect(await bury(id)).toEqual({ outcome: 'done' });
    expect((await readAudit(pool, id)).map(({ eventType, actor }) => `${eventType} by ${actor}`)).toEqual([
      'absence_confirmed by op-1',
      'absence_confirmed by op-1',
    ]);
  });

  it('passes the breaker once more right before it: a trip stops it, and it keeps its place', async () => {
    await witness();
    const id = await seen(randomUUID());
    const breaker = createBreakerActivities({ pool, clock: systemClock });
    const { stall: _feed, ...rules } = rulesOf(10);
    const act = { key: id, identityId: id, action: 'bury', rules, decidedAt: Date.now() } as const;
    expect(await breaker.passBreaker(act)).toEqual({ outcome: 'granted' });
    await inTransaction(pool, (client) =>
      tripAndAudit(client, {
        scope: 'bury',
        cause: 'operator',
        why: 'a test',
        trippedAt: Date.now(),
        operators: 1,
      }),
    );
    expect(await bury(id, { granted: { key: id } })).toMatchObject({
      outcome: 'held',
      trip: { scope: 'bury' },
    });
    expect(await isForgotten(id)).toBe(false);
    expect(await countGrants(pool, 'bury', 0)).toBe(1);
  });

  it('has limits of its own', async () => {
    const breaker = createBreakerActivities({ pool, clock: systemClock });
    const { stall: _feed, ...rules } = rulesOf(2);
    const outcomes = [];
    for (const action of ['delete', 'delete', 'bury', 'bury', 'bury'] as const) {
      const identityId = randomUUID();
      const asked = await breaker.passBreaker({
        key: identityId,
        identityId,
        action,
        rules,
        decidedAt: Date.now(),
      });
      outcomes.push(asked.outcome === 'held' ? asked.trip.scope : asked.outcome);
    }
    expect(outcomes).toEqual(['granted', 'granted', 'granted', 'granted', 'bury']);
  });

  it('is undone when the identity is there again, by the workers’ role: a disablement by the engine counts as its own again', async () => {
    const runtime = createPool({ url: stack.postgres.runtimeUrl });
    const shared = createPool({ url: stack.postgres.url });
    try {
      const id = randomUUID();
      const at = new Date(1_700_000_000_000);
      await shared.query('INSERT INTO disablement VALUES ($1, $2, $2, $2)', [id, at]);
      const before = await readDisablement(shared, id);
      expect(before).toBeDefined();
      await buryIdentity(runtime, id, undefined, Date.now(), 'delete', remembered);
      expect(await readDisablement(shared, id)).toBeUndefined();
      await liftTombstone(runtime, id);
      await liftTombstone(runtime, id);
      expect(await isBuried(shared, id)).toBe(false);
      expect(await readDisablement(shared, id)).toEqual(before);
    } finally {
      await Promise.all([runtime.end(), shared.end()]);
    }
  });

  it('of a shell is never undone', async () => {
    const id = randomUUID();
    await buryIdentity(pool, id, undefined, Date.now(), 'anonymise');
    await liftTombstone(pool, id);
    expect(await isBuried(pool, id)).toBe(true);
    expect(await readBurial(pool, id)).toBeUndefined();
  });
});

describe('a deletion by the engine', () => {
  const since = Date.now() + 86_400_000;
  const remove = (identityId: string, inactiveSince = since) =>
    activities.deleteIdentity({ identityId, inactiveSince, keepsAlive: ['human'] });
  const isThere = async (id: string) =>
    (await people.identities.getIdentity({ id }, { validateStatus: () => true })).status === 200;

  it('counts if the identity was there in the same call', async () => {
    await witness();
    const { id } = await people.create('doomed');
    expect(await remove(id)).toEqual({ outcome: 'done' });
    expect(await isThere(id)).toBe(false);
  });

  it('does not count if the identity was never there: somebody else deleted it, or it is another Kratos', async () => {
    await witness();
    expect(await remove(randomUUID())).toEqual({ outcome: 'gone' });
  });

  it('whose answer was lost is done at the next attempt', async () => {
    await witness();
    const { id } = await people.create('doomed');
    kratos.inject({ kind: 'answer-lost' }, /DELETE/, 1);
    await expect(remove(id)).rejects.toThrow();
    expect(await isThere(id)).toBe(false);
    expect(await remove(id)).toEqual({ outcome: 'done' });
  });

  it('that had no effect does not count when somebody else deletes the identity in a later absence', async () => {
    await witness();
    const { id } = await people.create('spared');
    kratos.inject({ kind: 'answer', status: 503, body: '{}' }, /DELETE/, 1);
    await expect(remove(id)).rejects.toThrow();
    await people.identities.deleteIdentity({ id });
    expect(await remove(id, since + 1)).toEqual({ outcome: 'gone' });
  });

  it('of everybody at once is done for each, although all witnesses vanish together', async () => {
    const crowd = await Promise.all(Array.from({ length: 12 }, witness));
    // An attempt that meets another deletion half done is doubted, and Temporal tries it again.
    const isDoubt = (error: unknown) => error instanceof StepError && error.type === 'AbsenceDoubtful';
    const removeAtLast = (id: string) =>
      until('the deletion', () =>
        remove(id).catch((error: unknown) => {
          if (isDoubt(error)) return undefined;
          throw error;
        }),
      );
    const ended = await Promise.all(crowd.map(({ id }) => removeAtLast(id)));
    expect(ended).toEqual(crowd.map(() => ({ outcome: 'done' })));
  });

  it('is not believed where others are missing, too', async () => {
    await witness();
    const { id } = await people.create('doomed');
    kratos.inject({ kind: 'answer-lost' }, /DELETE/, 1);
    await expect(remove(id)).rejects.toThrow();
    kratos.inject(notFound, /GET \/admin\/identities\//);
    await expect(remove(id)).rejects.toMatchObject({ type: 'AbsenceDoubtful' });
    kratos.heal();
    expect(await remove(id)).toEqual({ outcome: 'done' });
  });
});
