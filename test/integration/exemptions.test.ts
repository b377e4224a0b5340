/** Exemptions on the real stack: who may set one, what it stops, and that no value a person writes counts as one. */
import { Configuration, FrontendApi } from '@ory/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { readAudit } from '../../src/audit/log-table.js';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { InvalidRequestError } from '../../src/client.js';
import { exemptionInForce, exemptionsInForce } from '../../src/exemptions/exemptions-table.js';
import { createOryClients } from '../../src/ory/clients.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { fresh, openOutside, publish, slowPolicy, stateOf, unknownId } from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';

const outside = openOutside();
const { people, pool, stack, assess } = outside;
const taskQueue = fresh('exempt');
const policyId = fresh('slow');
const dayMs = 86_400_000;
const by = { actor: 'op-1', reason: 'on-call account' };
const request = () => ({
  ...by,
  kind: 'break-glass' as const,
  owner: 'team/platform',
  reviewAt: Date.now() + 180 * dayMs,
});
let harness: Harness;
let dormouse: DirectDormouse;
let kratos: FaultProxy;

beforeAll(async () => {
  harness = await openHarness();
  await harness.startWorkers({}, { taskQueue });
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  await publish(
    pool,
    slowPolicy(policyId, 'roles: { service: never }\naccountTypes: { service: never, break_glass: never }\n'),
  );
  dormouse = createDormouse({
    ...{ temporal: stack.temporal, postgresUrl: stack.postgres.url, taskQueue, policyId },
    timeoutMs: 30_000,
    requestTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  await dormouse.close();
  await harness.end();
  await kratos.close();
  await outside.close();
});

const exemptOf = async (id: string) =>
  (await assess({ identityId: id, policyChoice: { id: policyId } })).plan.exempt;
const auditOf = async (id: string) =>
  (await readAudit(pool, id)).filter(({ eventType }) => eventType.startsWith('exemption_'));

describe('an exemption', () => {
  it('is set before the identity is enrolled, reviewed and ended, each with its audit entry', async () => {
    const { id } = await people.create('exempt');
    const set = await dormouse.exempt(id, request());
    expect(set).toMatchObject({ identityId: id, kind: 'break-glass', owner: 'team/platform', setBy: 'op-1' });
    expect(await exemptOf(id)).toBe('operator:break-glass');
    const reviewAt = Date.now() + 300 * dayMs;
    const reviewed = await dormouse.reviewExemption(id, {
      ...by,
      actor: 'op-2',
      reviewAt,
      owner: 'team/iam',
    });
    expect(reviewed).toMatchObject({ id: set.id, reviewAt, owner: 'team/iam', setBy: 'op-1' });
    expect((await dormouse.endExemption(id, { ...by, actor: 'op-3' })).endedAt).toBeGreaterThan(0);
    expect(await exemptOf(id)).toBeUndefined();
    expect(await auditOf(id)).toMatchObject([
      { eventType: 'exemption_set', actor: 'op-1', detail: { kind: 'break-glass', owner: 'team/platform' } },
      { eventType: 'exemption_reviewed', actor: 'op-2', detail: { owner: 'team/iam', reviewAt } },
      { eventType: 'exemption_ended', actor: 'op-3', detail: { reason: by.reason } },
    ]);
  });

  it('reaches a lifecycle that runs at once, and its end does', async () => {
    const { id } = await people.create('exempt');
    await dormouse.enrol(id);
    await eventually('its standing', () => dormouse.standing(id));
    await dormouse.exempt(id, request());
    const blockedBy = async () => (await dormouse.standing(id))?.blocked?.by;
    await eventually('its exemption', async () => (await blockedBy()) === 'exempt');
    await dormouse.endExemption(id, by);
    await eventually('its end', async () => (await blockedBy()) === undefined);
  });

  it('is one at a time; the same request again changes nothing', async () => {
    const id = unknownId();
    const first = await dormouse.exempt(id, { ...request(), requestId: 'ticket-1' });
    expect(await dormouse.exempt(id, { ...request(), requestId: 'ticket-1' })).toEqual(first);
    const error = await rejection(dormouse.exempt(id, request()));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toMatch(/exempt already. Review that exemption, or end it first/);
    await dormouse.endExemption(id, by);
    expect((await dormouse.exempt(id, request())).id).not.toBe(first.id);
    expect((await auditOf(id)).map(({ eventType }) => eventType)).toEqual([
      'exemption_set',
      'exemption_ended',
      'exemption_set',
    ]);
  });

  it('stays in force when its review is overdue', async () => {
    const id = unknownId();
    await dormouse.exempt(id, request());
    await pool.query("UPDATE exemption SET review_at = now() - interval '2 days' WHERE identity_id = $1", [
      id,
    ]);
    expect(await exemptionInForce(pool, id)).toBe('break-glass');
    const overdue = await exemptionsInForce(pool, { reviewUpTo: Date.now(), rows: 1_000 });
    expect(overdue.map(({ identityId }) => identityId)).toContain(id);
  });

  it.each<[string, Partial<ReturnType<typeof request>>, RegExp]>([
    ['an address as owner', { owner: 'jo@example.com' }, /^owner: must be an opaque id/],
    ['no owner', { owner: '' }, /^owner: /],
    ['an address as actor', { actor: 'jo@example.com' }, /^actor: /],
    ['an address in the reason', { reason: 'asked by jo@example.com' }, /^reason: /],
    ['no reason', { reason: ' ' }, /^reason: is empty/],
    ['an unknown kind', { kind: 'friend' as never }, /^kind: .*break-glass, service/],
    ['a review in the past', { reviewAt: 1_000 }, /^reviewAt: is in the past/],
    ['a review in ten years', { reviewAt: Date.now() + 3_650 * dayMs }, /^reviewAt: .*three years/],
    ['no review', { reviewAt: Number.NaN }, /^reviewAt: is not a time/],
  ])('is refused with %s', async (_name, wrong, message) => {
    const id = unknownId();
    const error = await rejection(dormouse.exempt(id, { ...request(), ...wrong }));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('jo@');
    expect(await exemptionInForce(pool, id)).toBeUndefined();
  });

  it('that is not there is neither reviewed nor ended', async () => {
    const review = dormouse.reviewExemption(unknownId(), { ...by, reviewAt: Date.now() + dayMs });
    for (const work of [review, dormouse.endExemption(unknownId(), by)])
      expect((await rejection(work)).message).toMatch(/no operator exempted this identity.*changed there/);
  });
});

describe('in the very second of the deed', () => {
  const through = () =>
    outside.activitiesOn(
      createOryClients({ kratosAdminUrl: kratos.url, hydraAdminUrl: stack.hydra.adminUrl }),
    );

  it.each(['disableIdentity', 'deleteIdentity'] as const)('%s leaves it alone', async (deed) => {
    const { id } = await people.create('exempt');
    // The last look has begun: the exemption is set while its sessions are read.
    const meanwhile = () => dormouse.exempt(id, request());
    kratos.inject({ kind: 'meanwhile', deed: meanwhile }, new RegExp(`^GET .*${id}/sessions`), 1);
    const look = { identityId: id, inactiveSince: Date.now(), keepsAlive: ['human', 'token'] as const };
    expect(await through()[deed](look)).toEqual({ outcome: 'left-alone', because: 'exempt' });
    expect(await stateOf(people, id)).toBe('active');
    await dormouse.endExemption(id, by);
    expect(await through()[deed](look)).toEqual({ outcome: 'done' });
  });

  const deeds = ['disableIdentity', 'deleteIdentity', 'anonymiseIdentity'] as const;
  const marks: [string, object][] = [
    ['an account type', { account_type: 'service' }],
    ['a role', { role: 'service' }],
    ['the opt-out', { skip_stale_revocation: true }],
  ];
  const mark = (id: string, value: object) =>
    people.identities.patchIdentity({ id, jsonPatch: [{ op: 'add', path: '/metadata_admin', value }] });
  const lookOf = (identityId: string, policyChoice = { id: policyId }) => ({
    ...{ identityId, inactiveSince: Date.now(), keepsAlive: ['human', 'token'] as const, policyChoice },
    anonymousTraits: { email: 'deleted-{id}@example.invalid' },
  });

  describe.each(deeds)('%s', (deed) => {
    it.each(marks)('heeds %s that an admin set since the look', async (_name, value) => {
      const person = await people.create('exempt');
      const look = lookOf(person.id);
      await mark(person.id, value);
      expect(await outside[deed](look)).toEqual({ outcome: 'left-alone', because: 'exempt' });
      const { data } = await people.identities.getIdentity({ id: person.id });
      expect(data).toMatchObject({ state: 'active', traits: { email: person.email } });
      await mark(person.id, { note: 'none of these' });
      expect(await outside[deed](look)).toEqual({ outcome: 'done' });
    });

    it('heeds an exclusion of a version that was published since the look, but not where the version is fixed', async () => {
      const { id } = await people.create('exempt');
      const own = fresh('slow');
      const { version } = await publish(pool, slowPolicy(own));
      const exclusion = `{ identities: [${id}] }`;
      await publish(pool, slowPolicy(own, `exclusions: ${exclusion}\n`));
      const latest = lookOf(id, { id: own });
      expect(await outside[deed](latest)).toEqual({ outcome: 'left-alone', because: 'exempt' });
      expect(await stateOf(people, id)).toBe('active');
      expect(await outside[deed]({ ...latest, policyChoice: { id: own, version } })).toEqual({
        outcome: 'done',
      });
    });
  });
});

describe('a value that a person writes', () => {
  const frontend = new FrontendApi(new Configuration({ basePath: stack.kratos.publicUrl }));

  /** Through the settings flow, as the person's own browser or app would. @returns the status of the answer */
  async function writes(person: Person, traits: object, more: object = {}): Promise<number> {
    const signIn = await people.signIn(person);
    const xSessionToken = signIn?.sessionToken ?? '';
    const { data: flow } = await frontend.createNativeSettingsFlow({ xSessionToken });
    const body = { method: 'profile' as const, traits: { email: person.email, ...traits }, ...more };
    const answer = await frontend.updateSettingsFlow(
      { flow: flow.id, xSessionToken, updateSettingsFlowBody: body },
      { validateStatus: () => true },
    );
    return answer.status;
  }
  const read = async (id: string) => (await people.identities.getIdentity({ id })).data;

  it('as role in the traits exempts nobody, although Kratos takes it', async () => {
    const person = await people.create('writes');
    expect(await writes(person, { role: 'service' })).toBe(200);
    expect((await read(person.id)).traits).toMatchObject({ role: 'service' });
    expect(await exemptOf(person.id)).toBeUndefined();
  });

  it.each([
    ['account_type', { account_type: 'service' }],
    ['skip_stale_revocation', { skip_stale_revocation: true }],
  ])('as %s in the traits exempts nobody, not even where the schema had allowed it', async (_name, traits) => {
    const person = await people.create('writes');
    expect(await writes(person, traits)).toBe(400);
    const { kratosDatabase } = outside;
    await kratosDatabase.query('UPDATE identities SET traits = traits || $2::jsonb WHERE id = $1', [
      person.id,
      JSON.stringify(traits),
    ]);
    expect((await read(person.id)).traits).toMatchObject(traits);
    expect(await exemptOf(person.id)).toBeUndefined();
  });

  it('as metadata beside the traits is not stored by Kratos', async () => {
    const person = await people.create('writes');
    const marks = { account_type: 'service', role: 'service', skip_stale_revocation: true };
    await writes(person, {}, { metadata_admin: marks, metadata_public: marks });
    const { metadata_admin: admin, metadata_public: open } = await read(person.id);
    expect([admin ?? null, open ?? null]).toEqual([null, null]);
    expect(await exemptOf(person.id)).toBeUndefined();
  });

  it('in metadata_public exempts nobody either; in metadata_admin it does', async () => {
    const person = await people.create('writes');
    const marks = { account_type: 'break_glass', role: 'service', skip_stale_revocation: true };
    const write = (field: string) =>
      people.identities.patchIdentity({
        id: person.id,
        jsonPatch: [{ op: 'add', path: `/${field}`, value: marks }],
      });
    await write('metadata_public');
    expect(await exemptOf(person.id)).toBeUndefined();
    await write('metadata_admin');
    expect(await exemptOf(person.id)).toBe('account-type');
  });
});
