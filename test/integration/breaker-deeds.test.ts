/** A trip between the breaker's answer and the deed stops the deed: inside the activity, against the real Kratos. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { createBreakerActivities } from '../../src/activities/breaker.js';
import { createKratosActivities } from '../../src/activities/kratos.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import { proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { countGrants } from '../../src/breaker/grants-table.js';
import type { TripCause } from '../../src/domain/breaker/trip.js';
import type { DestructiveRung } from '../../src/domain/rungs.js';
import type { ActOutcome, LastLook } from '../../src/looks/last-look.js';
import { createOryClients } from '../../src/ory/clients.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { systemClock } from '../../src/process/clock.js';
import { rulesOf } from '../support/breaker-rules.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { recordSigns } from '../support/record-signs.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { stateOf } from '../support/system-outside.js';

const { stall: _feed, ...rules } = rulesOf(1_000);
const stack = inject('stack');
const people = new OryPeople(stack);

let database: FreshDatabase;
let kratos: FaultProxy;
let breaker: ReturnType<typeof createBreakerActivities>;
let deeds: ReturnType<typeof createKratosActivities> & ReturnType<typeof createKratosDeletionActivities>;
beforeAll(async () => {
  database = await openFreshDatabase();
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  const { pool } = database;
  const ory = createOryClients({ kratosAdminUrl: kratos.url, hydraAdminUrl: stack.hydra.adminUrl });
  const deps = {
    identities: ory.identities,
    pool,
    clock: systemClock,
    policies: new PolicyReader(pool),
  };
  breaker = createBreakerActivities({ pool, clock: systemClock });
  deeds = { ...createKratosActivities(deps), ...createKratosDeletionActivities(deps) };
});
afterEach(async () => {
  kratos.heal();
  await clearBreaker(database.pool);
});
afterAll(async () => {
  await kratos.close();
  await database.close();
});

interface Act {
  readonly action: DestructiveRung;
  readonly deed: (look: LastLook) => Promise<ActOutcome>;
}

const acts: readonly [string, Act][] = [
  [
    'a revocation',
    {
      action: 'revoke',
      deed: async (look) =>
        (await deeds.endSessions({ identityId: look.identityId, look })).stopped ?? { outcome: 'done' },
    },
  ],
  ['a deactivation', { action: 'deactivate', deed: (look) => deeds.disableIdentity(look) }],
  ['a deletion', { action: 'delete', deed: (look) => deeds.deleteIdentity(look) }],
  [
    'an anonymisation',
    {
      action: 'delete',
      deed: (look) =>
        deeds.anonymiseIdentity({ ...look, anonymousTraits: { email: 'deleted-{id}@example.invalid' } }),
    },
  ],
];

/** For a person with a session and a granted act. */
async function granted(action: DestructiveRung): Promise<LastLook & Required<Pick<LastLook, 'granted'>>> {
  const person = await people.create('granted');
  await people.signIn(person);
  const key = randomUUID();
  const { id: identityId } = person;
  const answer = await breaker.passBreaker({ key, action, identityId, rules, decidedAt: Date.now() });
  expect(answer).toEqual({ outcome: 'granted' });
  return {
    identityId,
    inactiveSince: Date.now() + 1_000,
    keepsAlive: ['human', 'token'],
    granted: { key, action },
  };
}

const trip = (scope: DestructiveRung | 'all', cause: TripCause = 'operator') =>
  inTransaction(database.pool, (client) =>
    tripAndAudit(client, { scope, cause, why: 'a test', trippedAt: Date.now(), operators: 1 }),
  );
const sessionsOf = async (id: string) => (await people.identities.listIdentitySessions({ id })).data.length;

describe.each(acts)('%s', (_name, { action, deed }) => {
  it.each([action, 'all'] as const)('is stopped by a trip of %s that came after its grant', async (scope) => {
    const look = await granted(action);
    const { id } = await trip(scope);
    expect(await deed(look)).toMatchObject({ outcome: 'held', trip: { id, cause: 'operator' } });
    expect(await stateOf(people, look.identityId)).toBe('active');
    expect(await sessionsOf(look.identityId)).toBe(1);
    expect(await countGrants(database.pool, action, 0), 'it goes on in its place').toBe(1);
  });

  it('goes on where operators let it pass, or the trip was released', async () => {
    const [passes, released] = [await granted(action), await granted(action)];
    const { id } = await trip('all');
    const decision = { tripId: id, actor: 'op-1', reason: 'looked at it', at: Date.now() };
    await proposeRelease(database.pool, { ...decision, identities: [passes.identityId] });
    expect(await deed(released)).toMatchObject({ outcome: 'held' });
    expect(await deed(passes)).toEqual({ outcome: 'done' });
    await proposeRelease(database.pool, decision);
    expect(await deed(released)).toEqual({ outcome: 'done' });
  });

  it('goes on where it was within the limit that tripped after it', async () => {
    const look = await granted(action);
    await trip(action, 'limit');
    expect(await deed(look)).toEqual({ outcome: 'done' });
  });

  it('is not done where nobody counts it any more', async () => {
    const look = await granted(action);
    await breaker.giveGrantBack(look.granted);
    expect(await deed(look)).toEqual({ outcome: 'held' });
    expect(await sessionsOf(look.identityId)).toBe(1);
  });

  it('gives its place back where the last look stops it', async () => {
    const look = await granted(action);
    await recordSigns(database.pool, [
      { identityId: look.identityId, kind: 'human', at: look.inactiveSince + 1, source: 'test' },
    ]);
    expect(await deed(look)).toMatchObject({ outcome: 'superseded' });
    expect(await countGrants(database.pool, action, 0)).toBe(0);
  });

  it('keeps its place where an attempt before may have had an effect', async () => {
    const look = await granted(action);
    kratos.inject({ kind: 'answer', status: 503, body: '{"error":{}}' }, /^(DELETE|PATCH|PUT) /);
    await expect(deed(look)).rejects.toMatchObject({ type: 'KratosFailed' });
    kratos.heal();
    await recordSigns(database.pool, [
      { identityId: look.identityId, kind: 'human', at: look.inactiveSince + 1, source: 'test' },
    ]);
    expect(await deed(look)).toMatchObject({ outcome: 'superseded' });
    expect(await countGrants(database.pool, action, 0)).toBe(1);
  });
});
