/** Pins what Dormouse relies on in Kratos, against the real server: where one of these fails, a rule of the engine is wrong. */
import { Configuration, FrontendApi, type JsonPatch } from '@ory/client';
import { afterAll, describe, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import {
  makeUnfit,
  openOutside,
  setStateByHand,
  stateChangedAt,
  unknownId,
} from '../support/system-outside.js';

const outside = openOutside();
const { people, kratosDatabase } = outside;
const any = { validateStatus: () => true };
const frontend = new FrontendApi(new Configuration({ basePath: outside.stack.kratos.publicUrl }));
afterAll(() => outside.close());

const patch = (id: string, jsonPatch: JsonPatch[]) => people.identities.patchIdentity({ id, jsonPatch }, any);

describe.concurrent('PATCH of an identity', () => {
  it('knows no `test` operation, so there is no compare-and-set', async () => {
    const { id } = await people.create('contract');
    const answer = await patch(id, [
      { op: 'test', path: '/state', value: 'active' },
      { op: 'replace', path: '/state', value: 'inactive' },
    ]);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.data)).toContain('unsupported operation: test');
  });

  it('moves state_changed_at on a change of state, and on nothing else', async () => {
    const { id } = await people.create('contract');
    const created = await stateChangedAt(people, id);
    await patch(id, [{ op: 'add', path: '/metadata_public', value: { other: 1 } }]);
    await patch(id, [{ op: 'replace', path: '/traits/email', value: `moved-${id}@example.com` }]);
    expect(await stateChangedAt(people, id)).toBe(created);
    const disabled = await setStateByHand(people, id, 'inactive');
    expect(disabled).toBeGreaterThan(created);
    expect(await setStateByHand(people, id, 'inactive')).toBe(disabled);
    expect(await setStateByHand(people, id, 'active')).toBeGreaterThan(disabled);
  });

  it('answers 400 where the traits no longer fit the schema, whatever is changed', async () => {
    const { id } = await people.create('contract');
    await makeUnfit(kratosDatabase, id);
    expect((await patch(id, [{ op: 'replace', path: '/state', value: 'inactive' }])).status).toBe(400);
    expect((await patch(id, [{ op: 'add', path: '/metadata_public', value: {} }])).status).toBe(400);
  });

  it('answers 404 for an unknown identity', async () => {
    const answer = await patch(unknownId(), [{ op: 'replace', path: '/state', value: 'inactive' }]);
    expect(answer.status).toBe(404);
  });
});

describe.concurrent('an inactive identity', () => {
  it('is refused by whoami while its session rows stay, shown as not active; enabled again, they live', async () => {
    const person = await people.create('contract');
    const signIn = await people.signIn(person);
    if (signIn === undefined) throw new Error('no sign-in');
    await setStateByHand(people, person.id, 'inactive');
    expect(await people.isSignedIn(signIn)).toBe(false);
    const { data } = await people.identities.listIdentitySessions({ id: person.id });
    expect(data.map(({ id, active }) => ({ id, active }))).toEqual([{ id: signIn.sessionId, active: false }]);
    await setStateByHand(people, person.id, 'active');
    expect(await people.isSignedIn(signIn)).toBe(true);
  });

  it('can not sign in', async () => {
    const person = await people.create('contract');
    await setStateByHand(people, person.id, 'inactive');
    expect([400, 401]).toContain(await signInStatus(person));
    await setStateByHand(people, person.id, 'active');
    expect(await signInStatus(person)).toBe(200);
  });
});

describe.concurrent('sessions', () => {
  it('DELETE answers 404 where there are none, 204 where there were some, and leaves no row', async () => {
    const person = await people.create('contract');
    const remove = () => people.identities.deleteIdentitySessions({ id: person.id }, any);
    expect((await remove()).status).toBe(404);
    await people.signIn(person);
    expect((await remove()).status).toBe(204);
    expect((await people.identities.listIdentitySessions({ id: person.id })).data).toEqual([]);
    expect((await remove()).status).toBe(404);
  });

  it('a session that was signed out stays as a row with its sign-in', async () => {
    const person = await people.create('contract');
    const signIn = await people.signIn(person);
    await frontend.performNativeLogout({
      performNativeLogoutBody: { session_token: signIn?.sessionToken ?? '' },
    });
    const { data } = await people.identities.listIdentitySessions({ id: person.id });
    expect(data).toMatchObject([{ active: false, authenticated_at: expect.any(String) }]);
  });
});

describe.concurrent('whoami', () => {
  it('shows metadata_public and never metadata_admin', async () => {
    const person = await people.create('contract', {
      metadataAdmin: { account_type: 'regular', note: 'inside' },
    });
    await patch(person.id, [
      { op: 'add', path: '/metadata_public', value: { dormouse: { stage: 'warned' } } },
    ]);
    const signIn = await people.signIn(person);
    const { data } = await frontend.toSession({ xSessionToken: signIn?.sessionToken ?? '' });
    expect(data.identity?.metadata_public).toEqual({ dormouse: { stage: 'warned' } });
    expect(JSON.stringify(data)).not.toContain('metadata_admin');
    expect(JSON.stringify(data)).not.toContain('inside');
  });
});

describe.concurrent('DELETE of an identity', () => {
  it('answers 204, then 404', async () => {
    const { id } = await people.create('contract');
    expect((await people.identities.deleteIdentity({ id }, any)).status).toBe(204);
    expect((await people.identities.deleteIdentity({ id }, any)).status).toBe(404);
  });
});

describe.concurrent('404', () => {
  it("has Ory's own form, which a proxy's 404 has not", async () => {
    const answer = await people.identities.getIdentity({ id: unknownId() }, any);
    expect(answer.status).toBe(404);
    expect(answer.data).toMatchObject({ error: { code: 404 } });
    const sessions = await people.identities.deleteIdentitySessions({ id: unknownId() }, any);
    expect(sessions.data).toMatchObject({ error: { code: 404 } });
  });
});

async function signInStatus(person: Person): Promise<number> {
  const { data: flow } = await frontend.createNativeLoginFlow();
  const { identifier, password } = person;
  const answer = await frontend.updateLoginFlow(
    { flow: flow.id, updateLoginFlowBody: { method: 'password', identifier, password } },
    any,
  );
  return answer.status;
}
