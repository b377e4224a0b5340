/** Holds as PostgreSQL keeps them, read inside each last look, on the real Kratos. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { noteWitness } from '../../src/absence/witnesses-table.js';
import { createBurialActivities } from '../../src/activities/burial.js';
import { createKratosActivities } from '../../src/activities/kratos.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import type { Hold } from '../../src/domain/lifecycle/holds.js';
import { endHold, isOnHold, keepHold, readHolds, takeOverHolds } from '../../src/holds/holds-table.js';
import type { LastLook } from '../../src/looks/last-look.js';
import { createOryClients } from '../../src/ory/clients.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { systemClock } from '../../src/process/clock.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { stateOf } from '../support/system-outside.js';

const day = 86_400_000;
const stack = inject('stack');
const people = new OryPeople(stack);
let database: FreshDatabase;
let activities: ReturnType<typeof createKratosActivities> &
  ReturnType<typeof createKratosDeletionActivities> &
  ReturnType<typeof createBurialActivities>;
beforeAll(async () => {
  database = await openFreshDatabase();
  const { pool } = database;
  const { identities } = createOryClients({
    kratosAdminUrl: stack.kratos.adminUrl,
    hydraAdminUrl: stack.hydra.adminUrl,
  });
  const deps = { identities, pool, clock: systemClock, policies: new PolicyReader(pool) };
  activities = {
    ...createKratosActivities(deps),
    ...createKratosDeletionActivities(deps),
    ...createBurialActivities(deps),
  };
});
afterAll(() => database.close());

const hold = (more: Partial<Hold> = {}): Hold => ({
  id: 'h1',
  kind: 'legal',
  reason: 'case 7',
  actor: 'op-1',
  since: Date.now(),
  until: Date.now() + day,
  ...more,
});
const keep = (identityId: string, more: Partial<Hold> = {}, key: string = randomUUID()) =>
  keepHold(database.pool, identityId, hold(more), key);

describe('a hold that the lifecycle was not told of', () => {
  const look = (identityId: string): LastLook => ({
    identityId,
    inactiveSince: Date.now() + day,
    keepsAlive: ['human'],
  });
  it.each([
    [
      'the end of sessions',
      async (one: LastLook) =>
        (await activities.endSessions({ identityId: one.identityId, look: one })).stopped,
    ],
    ['a deactivation', (one: LastLook) => activities.disableIdentity(one)],
    ['a deletion', (one: LastLook) => activities.deleteIdentity(one)],
  ] as const)('stops %s, and nothing is done', async (_act, act) => {
    const { id } = await people.create('held');
    await keep(id);
    expect(await act(look(id))).toEqual({ outcome: 'left-alone', because: 'hold' });
    expect(await stateOf(people, id)).toBe('active');
  });

  it('stops a burial', async () => {
    const { id: other } = await people.create('other');
    const { data } = await people.identities.getIdentity({ id: other });
    const createdAt = Date.parse(data.created_at ?? '');
    await noteWitness(database.pool, { identityId: other, createdAt, seenAt: Date.now() });
    const identityId = randomUUID();
    await keep(identityId);
    const remembered = { activity: {}, baselineAt: 0, rungs: {}, stageSince: 0, policyChoice: { id: 'p' } };
    expect(await activities.buryMissing({ identityId, missingSince: 0, remembered })).toEqual({
      outcome: 'on-hold',
    });
  });

  it('stops nothing when it has ended or was released', async () => {
    const { id } = await people.create('held');
    await keep(id, { until: Date.now() - 1 });
    await keep(id, { id: 'h2' });
    await endHold(database.pool, id, 'h2', Date.now());
    expect(await activities.disableIdentity(look(id))).toEqual({ outcome: 'done' });
  });
});

describe('holds in PostgreSQL', () => {
  const id = () => randomUUID();
  it('the same request again is the same hold, also many at once', async () => {
    const identityId = id();
    const kept = await Promise.all(Array.from({ length: 10 }, () => keep(identityId, {}, 'request-1')));
    expect(new Set(kept.map((one) => one.id))).toEqual(new Set(['h1']));
  });

  it('an id that is taken is replaced by the next, also for many at once', async () => {
    const identityId = id();
    const kept = await Promise.all(Array.from({ length: 10 }, () => keep(identityId)));
    expect(new Set(kept.map((one) => one.id)).size).toBe(10);
    expect((await readHolds(database.pool, identityId, Date.now())).count).toBe(10);
  });

  it('taking over twice, or over a release, changes nothing', async () => {
    const identityId = id();
    await takeOverHolds(database.pool, identityId, [hold(), hold({ id: 'h2' })]);
    await endHold(database.pool, identityId, 'h1', Date.now());
    await takeOverHolds(database.pool, identityId, [hold(), hold({ id: 'h2' })]);
    const { standing, count } = await readHolds(database.pool, identityId, Date.now());
    expect({ standing: standing.map((one) => one.id), count }).toEqual({ standing: ['h2'], count: 2 });
    expect(await isOnHold(database.pool, identityId, Date.now() + 2 * day)).toBe(false);
  });
});
