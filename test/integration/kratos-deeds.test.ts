/** Ending sessions, disabling, enabling and deleting, against the real Kratos: repeated, interrupted, and with admins in between. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { dayMs as day } from '../../src/domain/duration.js';
import { createOryClients } from '../../src/ory/clients.js';
import {
  confirmDisablement,
  intendDisablement,
  readDisablement,
} from '../../src/standings/disablements-table.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { recordSigns } from '../support/record-signs.js';
import {
  fresh,
  makeUnfit,
  openOutside,
  publish,
  setStateByHand,
  slowPolicy,
  stateChangedAt,
  stateOf,
  unknownId,
} from '../support/system-outside.js';

const outside = openOutside();
const { people, pool, kratosDatabase, endSessions, disableIdentity, enableIdentity, deleteIdentity } =
  outside;
afterAll(() => outside.close());

const look = (identityId: string, inactiveSince = Date.now()) =>
  ({ identityId, inactiveSince, keepsAlive: ['human', 'token'] }) as const;

async function signIn(person: Person) {
  const made = await people.signIn(person);
  if (made === undefined) throw new Error('Kratos refused the sign-in');
  return made;
}

const sessionsOf = async (id: string) => (await people.identities.listIdentitySessions({ id })).data;
const exists = async (id: string) =>
  (await people.identities.getIdentity({ id }, { validateStatus: () => true })).status === 200;

/** What a disablement by the engine amounts to, without the engine. */
async function disabledByEngine(id: string): Promise<void> {
  expect(await disableIdentity(look(id))).toEqual({ outcome: 'done' });
}

describe.concurrent('endSessions', () => {
  it('ends all sessions and tells the latest sign-in among them', async () => {
    const person = await people.create('sessions');
    const signIns = [await signIn(person), await signIn(person), await signIn(person)];
    const times = (await sessionsOf(person.id)).map(({ authenticated_at: at }) => Date.parse(at ?? ''));
    expect(await endSessions({ identityId: person.id })).toEqual({
      ended: 3,
      authenticatedAt: Math.max(...times),
    });
    expect(await sessionsOf(person.id)).toEqual([]);
    for (const each of signIns) expect(await people.isSignedIn(each)).toBe(false);
  });

  it('has nothing to do where there are none, and again', async () => {
    const { id } = await people.create('sessions');
    expect(await endSessions({ identityId: id })).toEqual({ ended: 0 });
    expect(await endSessions({ identityId: id })).toEqual({ ended: 0 });
    expect(await endSessions({ identityId: unknownId() })).toEqual({ ended: 0 });
  });

  it("leaves other people's alone", async () => {
    const person = await people.create('sessions');
    const other = await people.create('sessions');
    await signIn(person);
    const others = await signIn(other);
    await endSessions({ identityId: person.id });
    expect(await people.isSignedIn(others)).toBe(true);
  });

  it('ends those of a disabled identity too, so that enabling it brings none back to life', async () => {
    const person = await people.create('sessions');
    const made = await signIn(person);
    await disableIdentity(look(person.id));
    expect(await endSessions({ identityId: person.id })).toMatchObject({ ended: 1 });
    expect(await enableIdentity({ identityId: person.id })).toEqual({ outcome: 'done' });
    expect(await people.isSignedIn(made)).toBe(false);
  });

  it('ends one that is minted between its deletion and its check', async () => {
    const person = await people.create('sessions');
    const proxy = await startFaultProxy(outside.stack.kratos.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    await signIn(person);
    let minted: Awaited<ReturnType<typeof signIn>> | undefined;
    proxy.inject(
      {
        kind: 'meanwhile',
        deed: async () => {
          minted = await signIn(person);
        },
      },
      /^DELETE /,
      1,
    );
    const ended = await outside.activitiesOn(clients).endSessions({ identityId: person.id });
    await proxy.close();
    expect(ended.ended).toBe(2);
    if (minted === undefined) throw new Error('no session was minted');
    expect(await people.isSignedIn(minted)).toBe(false);
    expect(ended.authenticatedAt).toBeGreaterThan(0);
  });

  it('fails, to be tried again, when they are minted as fast as they are ended', async () => {
    const person = await people.create('sessions');
    const proxy = await startFaultProxy(outside.stack.kratos.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    await signIn(person);
    proxy.inject({ kind: 'meanwhile', deed: () => signIn(person) }, /^DELETE /);
    const work = outside.activitiesOn(clients).endSessions({ identityId: person.id });
    await expect(work).rejects.toMatchObject({ type: 'SessionsRemain', nonRetryable: false });
    await proxy.close();
  });
});

describe.concurrent('endSessions after a last look', () => {
  /** For a person who signed in before the look, and was not seen since. */
  async function absent() {
    const person = await people.create('revoke');
    const made = await signIn(person);
    return { person, made, since: Date.now() };
  }
  const revoke = (identityId: string, since: number, more: object = {}) =>
    endSessions({ identityId, look: { ...look(identityId, since), ...more } });

  it('ends them if no reason against it is found, and has nothing to do the next time', async () => {
    const { person, made, since } = await absent();
    expect(await revoke(person.id, since)).toMatchObject({ ended: 1 });
    expect(await people.isSignedIn(made)).toBe(false);
    expect(await revoke(person.id, since)).toEqual({ ended: 0 });
  });

  it('is stopped by a sign of life that PostgreSQL knows of', async () => {
    const { person, made, since } = await absent();
    await recordSigns(pool, [{ identityId: person.id, kind: 'token', at: since + 1, source: 'test' }]);
    const { ended, stopped } = await revoke(person.id, since);
    expect([ended, stopped]).toMatchObject([0, { outcome: 'superseded', activity: { token: since + 1 } }]);
    expect(await people.isSignedIn(made)).toBe(true);
  });

  it('is stopped by a fresh sign-in', async () => {
    const person = await people.create('revoke');
    const since = Date.now();
    const made = await signIn(person);
    const { stopped } = await revoke(person.id, since);
    expect(stopped).toMatchObject({ outcome: 'superseded', activity: { human: expect.any(Number) } });
    expect(await people.isSignedIn(made)).toBe(true);
  });

  it('is stopped by the opt-out that an admin set since', async () => {
    const { person, made, since } = await absent();
    const { id: policyId } = await publish(pool, slowPolicy(fresh('revoke')));
    await people.identities.patchIdentity({
      id: person.id,
      jsonPatch: [{ op: 'add', path: '/metadata_admin', value: { skip_stale_revocation: true } }],
    });
    expect(await revoke(person.id, since, { policyChoice: { id: policyId } })).toEqual({
      ended: 0,
      stopped: { outcome: 'left-alone', because: 'exempt' },
    });
    expect(await people.isSignedIn(made)).toBe(true);
  });

  it('is stopped by a notice whose proof is lost, unless that is proof enough', async () => {
    const { person, made, since } = await absent();
    const notices = ['lost with a backup'];
    expect(await revoke(person.id, since, { notices })).toEqual({
      ended: 0,
      stopped: { outcome: 'unannounced' },
    });
    expect(await people.isSignedIn(made)).toBe(true);
    expect(await revoke(person.id, since, { notices, ambiguousCounts: true })).toMatchObject({ ended: 1 });
  });

  it('leaves alone what an admin disabled', async () => {
    const { person, since } = await absent();
    await setStateByHand(people, person.id, 'inactive');
    expect(await revoke(person.id, since)).toEqual({ ended: 0, stopped: { outcome: 'left-alone' } });
    expect(await sessionsOf(person.id)).toHaveLength(1);
  });

  it('is stopped when an admin disabled and enabled the identity meanwhile', async () => {
    const { person, made } = await absent();
    await setStateByHand(people, person.id, 'inactive');
    const enabledAt = await setStateByHand(people, person.id, 'active');
    const stopped = { outcome: 'superseded', activity: {} };
    expect(await revoke(person.id, enabledAt - 1)).toEqual({ ended: 0, stopped });
    expect(await people.isSignedIn(made)).toBe(true);
  });

  it('says so when the identity is gone', async () => {
    expect(await revoke(unknownId(), Date.now())).toEqual({ ended: 0, stopped: { outcome: 'gone' } });
  });

  it('looks again at each attempt', async () => {
    const { person, made, since } = await absent();
    const proxy = await startFaultProxy(outside.stack.kratos.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    const attempt = () =>
      outside
        .activitiesOn(clients)
        .endSessions({ identityId: person.id, look: { ...look(person.id, since) } });
    proxy.inject({ kind: 'answer', status: 503, body: '{"error":{}}' }, /^DELETE /);
    await expect(attempt()).rejects.toMatchObject({ type: 'KratosFailed' });
    await recordSigns(pool, [{ identityId: person.id, kind: 'human', at: since + 1, source: 'test' }]);
    proxy.heal();
    expect(await attempt()).toMatchObject({ ended: 0, stopped: { outcome: 'superseded' } });
    await proxy.close();
    expect(await people.isSignedIn(made)).toBe(true);
  });

  it('ends one that is minted after the look', async () => {
    const { person, since } = await absent();
    const proxy = await startFaultProxy(outside.stack.kratos.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    let minted: Awaited<ReturnType<typeof signIn>> | undefined;
    const deed = async () => {
      minted = await signIn(person);
    };
    proxy.inject({ kind: 'meanwhile', deed }, /^DELETE /, 1);
    const ended = await outside
      .activitiesOn(clients)
      .endSessions({ identityId: person.id, look: look(person.id, since) });
    await proxy.close();
    expect(ended).toMatchObject({ ended: 2, authenticatedAt: expect.any(Number) });
    if (minted === undefined) throw new Error('no session was minted');
    expect(await people.isSignedIn(minted)).toBe(false);
  });
});

describe('a last look at somebody to whom the policy gives more time than the step was due after', () => {
  it.each(['disableIdentity', 'deleteIdentity'] as const)('%s does nothing', async (verb) => {
    const person = await people.create('confirmed');
    const policyChoice = { id: fresh('policy') };
    const ladder =
      'ladder: { warn: { after: 30d }, deactivate: { after: 60d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }, delete: { after: 90d, notices: [7d], noticeFloor: 7d } }';
    const unconfirmed = 'unconfirmed: { deactivate: { after: 20d }, delete: { after: 30d } }';
    await publish(
      pool,
      `id: ${policyChoice.id}\n${ladder}\n${unconfirmed}\nrecheck: 7d\nretry: { attempts: 3, firstAfter: 1s, longestAfter: 1s }\n`,
    );
    const rung = verb === 'disableIdentity' ? 'deactivate' : 'delete';
    const act = { ...look(person.id, Date.now() + day), policyChoice, due: { rung, afterMs: 0 } } as const;
    const acts = { disableIdentity, deleteIdentity };
    expect(await acts[verb](act)).toEqual({ outcome: 'superseded', activity: {} });
    expect((await people.identities.getIdentity({ id: person.id })).data.state).toBe('active');
    // Due by that policy, and by the identity's own data.
    expect(await acts[verb]({ ...act, due: { rung, afterMs: 100 * day } })).toEqual({ outcome: 'done' });
  });
});

describe.concurrent('disableIdentity', () => {
  it('disables, and remembers Kratos’ time of the change', async () => {
    const person = await people.create('disable');
    const made = await signIn(person);
    await disabledByEngine(person.id);
    expect(await stateOf(people, person.id)).toBe('inactive');
    expect(await people.isSignedIn(made)).toBe(false);
    expect(await people.signIn(person)).toBeUndefined();
    expect(await readDisablement(pool, person.id)).toMatchObject({
      stateChangedAt: await stateChangedAt(people, person.id),
    });
  });

  it('changes nothing when repeated', async () => {
    const { id } = await people.create('disable');
    await disabledByEngine(id);
    const before = [await stateChangedAt(people, id), await readDisablement(pool, id)];
    await disabledByEngine(id);
    expect([await stateChangedAt(people, id), await readDisablement(pool, id)]).toEqual(before);
  });

  it('is stopped by a sign of life that PostgreSQL knows of', async () => {
    const { id } = await people.create('disable');
    const inactiveSince = Date.now() - 60_000;
    const at = inactiveSince + 1;
    await recordSigns(pool, [{ identityId: id, kind: 'token', at, source: 'test' }]);
    expect(await disableIdentity(look(id, inactiveSince))).toEqual({
      outcome: 'superseded',
      activity: { token: at },
    });
    expect(await stateOf(people, id)).toBe('active');
  });

  it('is not stopped by a sign of a kind that does not count, nor by a known sign', async () => {
    const { id } = await people.create('disable');
    const now = Date.now();
    await recordSigns(pool, [
      { identityId: id, kind: 'machine', at: now, source: 'test' },
      { identityId: id, kind: 'human', at: now - 60_000, source: 'test' },
    ]);
    expect(await disableIdentity(look(id, now - 60_000))).toEqual({ outcome: 'done' });
  });

  it('is stopped by a fresh sign-in', async () => {
    const person = await people.create('disable');
    const inactiveSince = Date.now();
    await signIn(person);
    const act = await disableIdentity(look(person.id, inactiveSince));
    expect(act).toMatchObject({ outcome: 'superseded', activity: { human: expect.any(Number) } });
    expect(await stateOf(people, person.id)).toBe('active');
  });

  it('leaves alone what an admin disabled', async () => {
    const { id } = await people.create('disable');
    await setStateByHand(people, id, 'inactive');
    expect(await disableIdentity(look(id))).toEqual({ outcome: 'left-alone' });
    expect(await readDisablement(pool, id)).toBeUndefined();
  });

  it('continues after a crash between intention and call', async () => {
    const { id } = await people.create('disable');
    await intendDisablement(pool, id, await stateChangedAt(people, id), Date.now());
    await disabledByEngine(id);
    expect(await stateOf(people, id)).toBe('inactive');
  });

  it('knows its own work after a crash between call and confirmation', async () => {
    const { id } = await people.create('disable');
    await intendDisablement(pool, id, await stateChangedAt(people, id), Date.now());
    const changed = await setStateByHand(people, id, 'inactive');
    await disabledByEngine(id);
    expect(await readDisablement(pool, id)).toMatchObject({ stateChangedAt: changed, isAssumed: true });
    await disabledByEngine(id);
    expect(await readDisablement(pool, id)).toMatchObject({ isAssumed: true });
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'done' });
  });

  it('does not take an admin’s disablement for its own, long after an intention without effect', async () => {
    const { id } = await people.create('disable');
    await intendDisablement(pool, id, (await stateChangedAt(people, id)) - 1, Date.now() - 3_600_000);
    await setStateByHand(people, id, 'inactive');
    expect(await disableIdentity(look(id))).toEqual({ outcome: 'left-alone' });
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'left-alone' });
    expect(await stateOf(people, id)).toBe('inactive');
  });

  it('leaves alone what an admin enabled and disabled again', async () => {
    const { id } = await people.create('disable');
    await disabledByEngine(id);
    await setStateByHand(people, id, 'active');
    await setStateByHand(people, id, 'inactive');
    expect(await disableIdentity(look(id))).toEqual({ outcome: 'left-alone' });
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'left-alone' });
    expect(await deleteIdentity(look(id))).toEqual({ outcome: 'left-alone' });
    expect(await stateOf(people, id)).toBe('inactive');
  });

  it('may be done again after an admin enabled the identity', async () => {
    const { id } = await people.create('disable');
    await disabledByEngine(id);
    await setStateByHand(people, id, 'active');
    await disabledByEngine(id);
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'done' });
  });

  it('gives up on an identity that no longer fits its schema', async () => {
    const { id } = await people.create('disable');
    await makeUnfit(kratosDatabase, id);
    await expect(disableIdentity(look(id))).rejects.toMatchObject({
      type: 'IdentityDoesNotFitSchema',
      nonRetryable: true,
    });
    expect(await stateOf(people, id)).toBe('active');
  });

  it('says so when the identity is gone', async () => {
    expect(await disableIdentity(look(unknownId()))).toEqual({ outcome: 'gone' });
  });
});

describe.concurrent('enableIdentity', () => {
  it('undoes what the engine did, and forgets it', async () => {
    const person = await people.create('enable');
    await disabledByEngine(person.id);
    expect(await enableIdentity({ identityId: person.id })).toEqual({ outcome: 'done' });
    expect(await stateOf(people, person.id)).toBe('active');
    expect(await readDisablement(pool, person.id)).toBeUndefined();
    await signIn(person);
  });

  it('changes nothing when repeated, or when an admin was faster', async () => {
    const { id } = await people.create('enable');
    await disabledByEngine(id);
    const changed = await setStateByHand(people, id, 'active');
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'done' });
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'done' });
    expect(await stateChangedAt(people, id)).toBe(changed);
    expect(await readDisablement(pool, id)).toBeUndefined();
  });

  it('continues after a crash between call and forgetting', async () => {
    const { id } = await people.create('enable');
    await disabledByEngine(id);
    await setStateByHand(people, id, 'active');
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'done' });
    await setStateByHand(people, id, 'inactive');
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'left-alone' });
  });

  it('leaves alone what an admin disabled', async () => {
    const { id } = await people.create('enable');
    await setStateByHand(people, id, 'inactive');
    expect(await enableIdentity({ identityId: id })).toEqual({ outcome: 'left-alone' });
    expect(await stateOf(people, id)).toBe('inactive');
  });

  it('says so when the identity is gone', async () => {
    expect(await enableIdentity({ identityId: unknownId() })).toEqual({ outcome: 'gone' });
  });
});

describe.concurrent('deleteIdentity', () => {
  it('deletes an identity that the engine had disabled; done when tried again; gone for an unknown identity', async () => {
    const { id } = await people.create('delete');
    await disabledByEngine(id);
    const request = look(id);
    expect(await deleteIdentity(request)).toEqual({ outcome: 'done' });
    expect(await exists(id)).toBe(false);
    expect(await deleteIdentity(request)).toEqual({ outcome: 'done' });
    expect(await deleteIdentity(look(unknownId()))).toEqual({ outcome: 'gone' });
  });

  it('is stopped by a sign of life that PostgreSQL knows of', async () => {
    const { id } = await people.create('delete');
    await disabledByEngine(id);
    const now = Date.now();
    await recordSigns(pool, [{ identityId: id, kind: 'human', at: now, source: 'test' }]);
    expect(await deleteIdentity(look(id, now - 1))).toEqual({
      outcome: 'superseded',
      activity: { human: now },
    });
    expect(await exists(id)).toBe(true);
  });

  it('is stopped by a fresh sign-in', async () => {
    const person = await people.create('delete');
    const inactiveSince = Date.now();
    await signIn(person);
    expect(await deleteIdentity(look(person.id, inactiveSince))).toMatchObject({ outcome: 'superseded' });
    expect(await exists(person.id)).toBe(true);
  });

  it('is stopped when an admin enabled the identity meanwhile', async () => {
    const { id } = await people.create('delete');
    await disabledByEngine(id);
    const inactiveSince = Date.now();
    await setStateByHand(people, id, 'active');
    expect(await deleteIdentity(look(id, inactiveSince))).toEqual({ outcome: 'superseded', activity: {} });
    expect(await exists(id)).toBe(true);
  });

  it('leaves alone what an admin disabled', async () => {
    const { id } = await people.create('delete');
    await setStateByHand(people, id, 'inactive');
    expect(await deleteIdentity(look(id))).toEqual({ outcome: 'left-alone' });
    expect(await exists(id)).toBe(true);
  });

  it('deletes an identity that no longer fits its schema, without writing to it', async () => {
    const { id } = await people.create('delete');
    await disabledByEngine(id);
    await makeUnfit(kratosDatabase, id);
    expect(await deleteIdentity(look(id))).toEqual({ outcome: 'done' });
  });

  it('does not count a disablement as confirmed for another change of state', async () => {
    const { id } = await people.create('delete');
    await disabledByEngine(id);
    await confirmDisablement(pool, id, 1);
    expect(await deleteIdentity(look(id))).toEqual({ outcome: 'left-alone' });
  });
});
