/** The look at an identity and what apps see of its stage, against the real Kratos and PostgreSQL. */
import { Configuration, FrontendApi } from '@ory/client';
import { afterAll, describe, expect, it } from 'vitest';
import { intendDisablement } from '../../src/standings/disablements-table.js';
import { recordSigns } from '../support/record-signs.js';
import {
  fresh,
  makeFit,
  makeUnfit,
  openOutside,
  publish,
  setStateByHand,
  slowPolicy,
  stateChangedAt,
  unknownId,
} from '../support/system-outside.js';

const outside = openOutside();
const { people, pool, kratosDatabase, assess, publishStage, disableIdentity } = outside;
afterAll(() => outside.close());

const dayMs = 86_400_000;

async function freshPolicy(more = '') {
  return publish(pool, slowPolicy(fresh('look'), more));
}

async function lookAt(identityId: string, more = '') {
  const policy = await freshPolicy(more);
  return assess({ identityId, policyChoice: { id: policy.id } });
}

const ladder = (assessment: Awaited<ReturnType<typeof assess>>) =>
  assessment.plan.rungs.map(({ rung, afterMs }) => `${rung} ${afterMs / dayMs}d`);

describe.concurrent('assess', () => {
  it('reads the state, its times, the policy in force and the published stage', async () => {
    const before = Date.now() - 1_000;
    const { id } = await people.create('look');
    const policy = await freshPolicy();
    const { identity, plan, activity } = await assess({ identityId: id, policyChoice: { id: policy.id } });
    const { data } = await people.identities.getIdentity({ id });
    expect(identity).toEqual({
      state: 'active',
      stateChangedAt: Date.parse(data.state_changed_at ?? ''),
      createdAt: Date.parse(data.created_at ?? ''),
      disabledByEngine: false,
      publishedStage: 'active',
    });
    expect(identity?.createdAt).toBeGreaterThan(before);
    expect(plan.policy).toEqual(policy);
    expect(activity).toEqual({});
  });

  it('follows the chosen version, or the latest', async () => {
    const { id } = await people.create('look');
    const first = await freshPolicy();
    const second = await publish(pool, slowPolicy(first.id).replace('30d', '31d'));
    const read = async (version?: number) => {
      const policyChoice = { id: first.id, ...(version === undefined ? {} : { version }) };
      return (await assess({ identityId: id, policyChoice })).plan.policy;
    };
    expect(await read()).toEqual(second);
    expect(await read(1)).toEqual(first);
  });

  const roles =
    'roles: { admin: { revoke: { after: 40d } }, lazy: { revoke: { after: 300d } }, robot: never }';
  const groups =
    'populations: [{ name: c, when: { groups: [/c] }, ladder: { revoke: { after: 45d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed } } }]';
  it.each([
    ['no role', {}, 'revoke 90d', undefined],
    ['an admin role from metadata_admin', { metadataAdmin: { role: 'admin' } }, 'revoke 40d', undefined],
    ['a looser role from metadata_admin', { metadataAdmin: { role: 'lazy' } }, 'revoke 300d', undefined],
    ['a stricter role from traits', { traits: { role: 'admin' } }, 'revoke 40d', undefined],
    ['a looser role from traits, which is ignored', { traits: { role: 'lazy' } }, 'revoke 90d', undefined],
    ['"never" from traits, which is ignored', { traits: { role: 'robot' } }, 'revoke 90d', undefined],
    ['"never" from metadata_admin', { metadataAdmin: { role: 'robot' } }, 'revoke 90d', 'role'],
    ['a service', { metadataAdmin: { account_type: 'service' } }, 'revoke 90d', 'account-type'],
    ['a group from metadata_admin', { metadataAdmin: { groups: ['/c'] } }, 'revoke 45d', undefined],
    ['an opt-out', { metadataAdmin: { skip_stale_revocation: true } }, 'revoke 90d', 'opt-out'],
    [
      'an opt-out in words that nobody defined: not harsher than if it were one',
      { metadataAdmin: { skip_stale_revocation: 'yes' } },
      'revoke 90d',
      'not-understood',
    ],
    ['an excluded schema', { hasAddress: false }, 'revoke 90d', 'excluded-schema'],
    ['metadata of a form that nobody foresaw', { metadataAdmin: ['service'] }, 'revoke 90d', undefined],
  ])('takes into account %s', async (_name, options, revoke, exempt) => {
    const { id } = await people.create('look', options);
    const more = `${roles}\n${groups}\naccountTypes: { service: never }\nexclusions: { schemas: [username] }`;
    const assessment = await lookAt(id, more);
    expect(ladder(assessment)).toContain(revoke);
    expect(assessment.plan.exempt).toBe(exempt);
  });

  it('knows identities that the policy excludes by id', async () => {
    const { id } = await people.create('look');
    const assessment = await lookAt(id, `exclusions: { identities: ["${id.toUpperCase()}"] }`);
    expect(assessment.plan.exempt).toBe('excluded-identity');
  });

  it('takes the latest sign-in that the sessions show as evidence', async () => {
    const person = await people.create('look');
    await people.signIn(person);
    await people.signIn(person);
    const { data } = await people.identities.listIdentitySessions({ id: person.id });
    const times = data.map(({ authenticated_at: at }) => Date.parse(at ?? ''));
    expect(times).toHaveLength(2);
    expect((await lookAt(person.id)).activity).toEqual({ human: Math.max(...times) });
  });

  it('counts a sign-in whose session was signed out since', async () => {
    const person = await people.create('look');
    const signIn = await people.signIn(person);
    const frontend = new FrontendApi(new Configuration({ basePath: outside.stack.kratos.publicUrl }));
    await frontend.performNativeLogout({
      performNativeLogoutBody: { session_token: signIn?.sessionToken ?? '' },
    });
    expect((await lookAt(person.id)).activity.human).toBeGreaterThan(0);
  });

  it('counts the sign-ins of an identity that is inactive', async () => {
    const person = await people.create('look');
    await people.signIn(person);
    await setStateByHand(people, person.id, 'inactive');
    expect((await lookAt(person.id)).activity.human).toBeGreaterThan(0);
  });

  it('takes the signs of each kind in PostgreSQL, and the later of two times', async () => {
    const person = await people.create('look');
    await people.signIn(person);
    const now = Date.now();
    const sign = (kind: 'human' | 'token' | 'machine', at: number) =>
      recordSigns(pool, [{ identityId: person.id, kind, at, source: 'test' }]);
    await sign('human', now - 5 * dayMs);
    await sign('token', now - 3 * dayMs);
    await sign('machine', now - 2 * dayMs);
    const first = (await lookAt(person.id)).activity;
    expect(first).toMatchObject({ token: now - 3 * dayMs, machine: now - 2 * dayMs });
    expect(first.human).toBeGreaterThan(now - dayMs);
    const later = Date.now();
    await sign('human', later);
    expect((await lookAt(person.id)).activity.human).toBe(later);
  });

  it('says so when Kratos does not know the identity, and still gives a plan', async () => {
    const assessment = await lookAt(unknownId());
    expect(assessment.identity).toBeUndefined();
    expect(assessment.activity).toEqual({});
    expect(assessment.plan.rungs).toHaveLength(3);
  });

  it.each([
    ['policy', { id: 'never-published' }],
    ['version', { id: 'default-of-nobody', version: 3 }],
  ])('gives up on an unknown %s', async (_name, policyChoice) => {
    const { id } = await people.create('look');
    await expect(assess({ identityId: id, policyChoice })).rejects.toMatchObject({
      type: 'UnknownPolicy',
      nonRetryable: true,
    });
  });

  it('tells a disablement by the engine from one by an admin', async () => {
    const mine = await people.create('look');
    await disableIdentity({ identityId: mine.id, inactiveSince: Date.now(), keepsAlive: ['human'] });
    const theirs = await people.create('look');
    await setStateByHand(people, theirs.id, 'inactive');
    expect((await lookAt(mine.id)).identity).toMatchObject({
      state: 'inactive',
      disabledByEngine: true,
      stateChangedAt: await stateChangedAt(people, mine.id),
    });
    expect((await lookAt(theirs.id)).identity).toMatchObject({ state: 'inactive', disabledByEngine: false });
    expect((await lookAt(mine.id)).identity).not.toHaveProperty('disablementUnconfirmed');
  });

  it('says that the answer to the engine’s own call was lost, before and after the step went on', async () => {
    const { id } = await people.create('look');
    await intendDisablement(pool, id, await stateChangedAt(people, id), Date.now());
    await setStateByHand(people, id, 'inactive');
    const unsure = { disabledByEngine: true, disablementUnconfirmed: true };
    expect((await lookAt(id)).identity).toMatchObject(unsure);
    await disableIdentity({ identityId: id, inactiveSince: Date.now(), keepsAlive: ['human'] });
    expect((await lookAt(id)).identity).toMatchObject(unsure);
  });
});

describe.concurrent('publishStage', () => {
  const metadataOf = async (id: string) => (await people.identities.getIdentity({ id })).data.metadata_public;
  const since = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const expected = { stage: 'suspended', since: '2026-01-02T03:04:05.678Z' };

  it('writes where there is no metadata yet, and the look reads it back', async () => {
    const { id } = await people.create('publish');
    expect(await publishStage({ identityId: id, stage: 'suspended', since })).toBe('published');
    expect(await metadataOf(id)).toEqual({ dormouse: expected });
    expect((await lookAt(id)).identity?.publishedStage).toBe('suspended');
  });

  it('keeps what others wrote beside it', async () => {
    const { id } = await people.create('publish');
    const value = { theme: 'dark', nested: { a: [1] } };
    await people.identities.patchIdentity({
      id,
      jsonPatch: [{ op: 'add', path: '/metadata_public', value }],
    });
    await publishStage({ identityId: id, stage: 'warned', since });
    await publishStage({ identityId: id, stage: 'suspended', since });
    expect(await metadataOf(id)).toEqual({ ...value, dormouse: expected });
  });

  it('shows in whoami', async () => {
    const person = await people.create('publish');
    const signIn = await people.signIn(person);
    if (signIn === undefined) throw new Error('no sign-in');
    await publishStage({ identityId: person.id, stage: 'warned', since });
    expect(await people.stageInWhoami(signIn)).toBe('warned');
  });

  it('writes nothing when the stage is there already', async () => {
    const { id } = await people.create('publish');
    const updatedAt = async () => (await people.identities.getIdentity({ id })).data.updated_at;
    await publishStage({ identityId: id, stage: 'suspended', since });
    const before = await updatedAt();
    expect(await publishStage({ identityId: id, stage: 'suspended', since })).toBe('published');
    expect(await updatedAt()).toBe(before);
  });

  it('leaves the state and its time alone', async () => {
    const { id } = await people.create('publish');
    const before = await stateChangedAt(people, id);
    await publishStage({ identityId: id, stage: 'suspended', since });
    expect(await stateChangedAt(people, id)).toBe(before);
  });

  it('is refused for an identity that no longer fits its schema, and works once it does', async () => {
    const { id } = await people.create('publish');
    await makeUnfit(kratosDatabase, id);
    expect(await publishStage({ identityId: id, stage: 'suspended', since })).toBe('refused');
    await makeFit(kratosDatabase, id);
    expect(await publishStage({ identityId: id, stage: 'suspended', since })).toBe('published');
  });

  it('is refused if the metadata is not an object, rather than overwriting it', async () => {
    const { id } = await people.create('publish');
    const value = ['a', 'list'];
    await people.identities.patchIdentity({
      id,
      jsonPatch: [{ op: 'add', path: '/metadata_public', value }],
    });
    expect(await publishStage({ identityId: id, stage: 'suspended', since })).toBe('refused');
    expect(await metadataOf(id)).toEqual(value);
  });

  it('has nothing to do for an unknown identity', async () => {
    expect(await publishStage({ identityId: unknownId(), stage: 'warned', since })).toBe('published');
  });
});
