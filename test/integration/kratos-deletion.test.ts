/** Ending an identity on the real Kratos: the empty shell, reserved names, and the remaining data of the person. */
import { Configuration, FrontendApi } from '@ory/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import { isRetired, retireIdentifiers } from '../../src/deletion/retired-identifiers-table.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { systemClock } from '../../src/process/clock.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { recordSigns } from '../support/record-signs.js';
import {
  fresh,
  openOutside,
  publish,
  setStateByHand,
  slowPolicy,
  testIdentifierKey,
  unknownId,
} from '../support/system-outside.js';

const outside = openOutside();
const { people, pool, kratosDatabase, stack, disableIdentity, deleteIdentity, anonymiseIdentity } = outside;
const day = 86_400_000;
afterAll(() => outside.close());

const look = (identityId: string, inactiveSince = Date.now()) =>
  ({ identityId, inactiveSince, keepsAlive: ['human', 'token'], refuseIdentifiersForMs: day }) as const;
const soon = () => Date.now() + 60_000;
const template = { email: 'deleted-{id}@example.invalid' };

async function deactivated(name = 'ends'): Promise<Person> {
  const person = await people.create(name, {
    traits: { locale: 'de' },
    metadataAdmin: { note: 'prefers tea' },
  });
  await people.signIn(person);
  // Reported by the hook, the sign-in may be a moment younger than it was.
  expect(await disableIdentity(look(person.id, soon()))).toEqual({ outcome: 'done' });
  return person;
}

/** Everything of Kratos' database, to be searched for a text. */
async function placesOf(text: string): Promise<string[]> {
  const tables = await kratosDatabase.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'courier%'",
  );
  const places: string[] = [];
  for (const { name } of tables.rows) {
    const found = await kratosDatabase.query(
      `SELECT 1 FROM "${name}" AS t WHERE position($1 IN lower(t::text)) > 0 LIMIT 1`,
      [text.toLowerCase()],
    );
    if (found.rows.length > 0) places.push(name);
  }
  return places;
}

describe('anonymising', () => {
  it('leaves a disabled shell with nothing of the person', async () => {
    const person = await deactivated();
    const address = person.email ?? '';
    expect(await placesOf(address)).not.toEqual([]);
    const request = { ...look(person.id, soon()), anonymousTraits: template };
    expect(await anonymiseIdentity(request)).toEqual({ outcome: 'done' });
    const { data } = await people.identities.getIdentity({ id: person.id });
    expect(data).toMatchObject({
      state: 'inactive',
      traits: { email: `deleted-${person.id}@example.invalid` },
      metadata_public: null,
      metadata_admin: null,
    });
    const { data: sessions } = await people.identities.listIdentitySessions({ id: person.id });
    expect(sessions).toEqual([]);
    // Flows that people began hold what they typed until they expire; Kratos' own clean-up deletes them.
    expect(await placesOf(address)).toEqual([]);
    // A second attempt, after a crash, finds it done.
    expect(await anonymiseIdentity(request)).toEqual({ outcome: 'done' });
  });

  it('refuses sign-in by the old password and the old name', async () => {
    const person = await deactivated();
    await anonymiseIdentity({ ...look(person.id, soon()), anonymousTraits: template });
    expect(await people.signIn(person)).toBeUndefined();
    await setStateByHand(people, person.id, 'active');
    expect(await people.signIn(person)).toBeUndefined();
    const asShell = { ...person, identifier: `deleted-${person.id}@example.invalid` };
    expect(await people.signIn(asShell)).toBeUndefined();
  });

  it('takes away what other ways to sign in there are', async () => {
    const person = await deactivated();
    await kratosDatabase.query(
      `INSERT INTO identity_credentials (id, config, identity_credential_type_id, identity_id, nid, created_at, updated_at, version)
       SELECT gen_random_uuid(), '{"recovery_codes":[{"code":"abcd","used_at":null}]}', types.id, i.id, i.nid, now(), now(), 0
       FROM identities i, identity_credential_types types WHERE i.id = $1 AND types.name = 'lookup_secret'`,
      [person.id],
    );
    const before = await people.identities.getIdentity({ id: person.id });
    expect(Object.keys(before.data.credentials ?? {})).toContain('lookup_secret');
    await anonymiseIdentity({ ...look(person.id, soon()), anonymousTraits: template });
    const after = await people.identities.getIdentity({ id: person.id });
    expect(Object.keys(after.data.credentials ?? {})).not.toContain('lookup_secret');
  });

  it('stops when the person was seen, or somebody else disabled the account', async () => {
    const seen = await deactivated();
    const since = Date.now() - day;
    await recordSigns(pool, [{ identityId: seen.id, at: Date.now(), kind: 'human', source: 'app' }]);
    expect(await anonymiseIdentity({ ...look(seen.id, since), anonymousTraits: template })).toMatchObject({
      outcome: 'superseded',
    });
    const byHand = await people.create('byhand');
    await setStateByHand(people, byHand.id, 'inactive');
    expect(await anonymiseIdentity({ ...look(byHand.id), anonymousTraits: template })).toEqual({
      outcome: 'left-alone',
    });
    for (const { id, email } of [seen, byHand]) {
      expect((await people.identities.getIdentity({ id })).data.traits).toMatchObject({ email });
    }
    expect(await anonymiseIdentity({ ...look(unknownId()), anonymousTraits: template })).toEqual({
      outcome: 'gone',
    });
  });

  it('says so when Kratos does not take the traits, and changes nothing', async () => {
    const person = await deactivated();
    const request = { ...look(person.id, soon()), anonymousTraits: { email: 'no address' } };
    await expect(anonymiseIdentity(request)).rejects.toMatchObject({ type: 'AnonymousTraitsDoNotFit' });
    expect((await people.identities.getIdentity({ id: person.id })).data.traits).toMatchObject({
      email: person.email,
    });
  });

  it('leaves nobody for the ladder to look after', async () => {
    const person = await deactivated();
    await anonymiseIdentity({ ...look(person.id, soon()), anonymousTraits: template });
    await buryIdentity(pool, person.id, undefined, Date.now(), 'anonymise');
    expect(await readSigns(pool, person.id)).toEqual({});
    const { id } = await publish(pool, slowPolicy(fresh('shell')));
    const assessed = await outside.assess({ identityId: person.id, policyChoice: { id } });
    expect(assessed.identity).toBeUndefined();
  });
});

describe('identifiers of deleted accounts', () => {
  let gateway: TestGateway;
  const frontend = new FrontendApi(new Configuration({ basePath: stack.kratos.publicUrl }));
  beforeAll(async () => {
    gateway = await listenGateway({
      stack,
      atStackUrl: true,
      more: {
        hooks: {
          kratos: {
            keys: [stack.gateway.hookKeys.kratos],
            isRetired: (identifiers) => isRetired(pool, testIdentifierKey, identifiers, Date.now()),
          },
        },
      },
    });
  });
  afterAll(() => gateway.close());

  async function register(email: string) {
    const { data: flow } = await frontend.createNativeRegistrationFlow();
    return frontend.updateRegistrationFlow(
      {
        flow: flow.id,
        updateRegistrationFlowBody: { method: 'password', password: fresh('a good one'), traits: { email } },
      },
      { validateStatus: () => true },
    );
  }

  it("can't be registered again, in whatever case they are written", async () => {
    const person = await deactivated();
    expect(await deleteIdentity(look(person.id, soon()))).toEqual({ outcome: 'done' });
    const again = await register((person.email ?? '').toUpperCase());
    expect(again.status).toBe(400);
    expect(JSON.stringify(again.data)).toContain('cannot be registered at present');
    const other = await register(`${fresh('somebody-else')}@example.com`);
    expect(other.status).toBe(200);
  });

  it('nor can those of an anonymised one', async () => {
    const person = await deactivated();
    await anonymiseIdentity({ ...look(person.id, soon()), anonymousTraits: template });
    expect((await register(person.email ?? '')).status).toBe(400);
  });

  it('can be registered where the policy does not remember them', async () => {
    const person = await deactivated();
    const { refuseIdentifiersForMs: _none, ...forgetful } = look(person.id, soon());
    await deleteIdentity(forgetful);
    expect((await register(person.email ?? '')).status).toBe(200);
  });

  it.each([
    'deleteIdentity',
    'anonymiseIdentity',
  ] as const)('%s does not go on where they are to be remembered and there is no key', async (deed) => {
    const person = await deactivated();
    const { policies } = outside;
    const { identities } = outside.ory;
    const keyless = createKratosDeletionActivities({ identities, pool, policies, clock: systemClock });
    const request = { ...look(person.id, soon()), anonymousTraits: template };
    await expect(keyless[deed](request)).rejects.toMatchObject({
      type: 'IdentifierKeyMissing',
      nonRetryable: true,
    });
    const { data } = await people.identities.getIdentity({ id: person.id });
    expect(data).toMatchObject({ traits: { email: person.email }, metadata_admin: { note: 'prefers tea' } });
    const { refuseIdentifiersForMs: _none, ...forgetful } = request;
    expect(await keyless[deed](forgetful)).toEqual({ outcome: 'done' });
  });

  it('are refused only until then, and only by the key', async () => {
    const [name, now] = [fresh('name'), Date.now()];
    const ask = (at: number, key = testIdentifierKey) => isRetired(pool, key, ['x', `  ${name} `], at);
    await retireIdentifiers(pool, testIdentifierKey, [name], { until: now + day, now });
    // A shorter time does not shorten it.
    await retireIdentifiers(pool, testIdentifierKey, [name], { until: now + 1, now });
    expect(await ask(now + day - 1)).toBe(true);
    expect(await ask(now + day)).toBe(false);
    expect(await ask(now, 'another key, also of thirty-two characters')).toBe(false);
    const rows = await pool.query('SELECT * FROM retired_identifier');
    expect(JSON.stringify(rows.rows)).not.toContain(name);
  });

  it.each([
    ['without the key', {}, { identifiers: [] }, 401],
    ['with a field too many', undefined, { identifiers: [], cookie: 'x' }, 400],
    ['with something else than texts', undefined, { identifiers: [1] }, 400],
    ['with more names than anybody has', undefined, { identifiers: Array(21).fill('x') }, 400],
    ['as Kratos does', undefined, { identifiers: ['nobody'] }, 204],
  ])('the hook called %s', async (_name, headers, body, status) => {
    const answer = await fetch(`${gateway.url}/v1/hooks/kratos/registration`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(headers ?? { 'x-dormouse-hook-key': stack.gateway.hookKeys.kratos }),
      },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(status);
  });
});
