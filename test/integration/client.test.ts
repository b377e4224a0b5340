/** The client against real workers, real Kratos and real PostgreSQL. */
import { afterAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { InvalidIdentityIdError, InvalidRequestError, NotEnrolledError } from '../../src/client.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { openClientHarness } from '../support/harness/client.js';
import { backdate } from '../support/old-people.js';
import {
  fastPolicy,
  fresh,
  makeFit,
  makeUnfit,
  publish,
  slowPolicy,
  stateOf,
  unknownId,
} from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';

const system = await openClientHarness();
const { dormouse, harness, policyId } = system;
const { people, pool, kratosPool: kratosDatabase } = harness;
const dayMs = 86_400_000;
afterAll(() => system.harness.end());

const actor = 'operator-7';
const inDays = (days: number) => Date.now() + days * dayMs;
const auditOf = async (id: string, type: string) =>
  (await readAudit(pool, id)).filter(({ eventType }) => eventType === type);

async function enrolled(policy = policyId) {
  const person = await people.create('client');
  await dormouse.enrol(person.id, { policyId: policy });
  await eventually('the first standing', () => dormouse.standing(person.id));
  return person;
}

/** An identity that the engine has deactivated. */
async function deactivated() {
  // A year away, so that nothing is due for a year after the return.
  const policy = await publish(pool, fastPolicy(fresh('yearly')).replace('after: 2s', 'after: 365d'));
  const person = await people.create('client');
  const signIn = await people.signIn(person);
  await backdate(kratosDatabase, [person.id], 400);
  await dormouse.enrol(person.id, { policyId: policy.id });
  await eventually('its deactivation', async () => {
    return (await dormouse.standing(person.id))?.stage === 'deactivated';
  });
  return { person, signIn };
}

describe.concurrent('recordActivity', () => {
  it('enrols, lands in PostgreSQL and shows in the standing', async () => {
    const { id } = await people.create('client');
    expect(await dormouse.standing(id)).toBeUndefined();
    const at = Date.now() - 1_000;
    expect(await dormouse.recordActivity(id, { at, kind: 'token', source: 'api/v2' })).toBe('recorded');
    expect(await readSigns(pool, id)).toEqual({ token: at });
    const standing = await eventually('its standing', () => dormouse.standing(id));
    expect(standing).toMatchObject({ identityId: id, stage: 'active', policy: { id: policyId } });
    expect((await dormouse.liveStanding(id)).activity.token).toBe(at);
  });

  it('takes a Date, now by default, and upper case', async () => {
    const { id } = await people.create('client');
    const date = new Date(Date.now() - 60_000);
    await dormouse.recordActivity(id.toUpperCase(), { at: date });
    expect(await readSigns(pool, id)).toEqual({ human: date.getTime() });
    const before = Date.now();
    await dormouse.recordActivity(id);
    expect((await readSigns(pool, id)).human).toBeGreaterThanOrEqual(before);
  });

  it('clamps the future to now, and never goes back', async () => {
    const { id } = await people.create('client');
    await dormouse.recordActivity(id, { at: inDays(400) });
    const { human = 0 } = await readSigns(pool, id);
    expect(human).toBeLessThanOrEqual(Date.now());
    await dormouse.recordActivity(id, { at: Date.now() - dayMs });
    expect(await readSigns(pool, id)).toEqual({ human });
    expect((await dormouse.liveStanding(id)).activity.human).toBeLessThanOrEqual(Date.now());
  });

  it('counts its outcomes', async () => {
    const before = dormouse.counters();
    await dormouse.recordActivity((await people.create('client')).id);
    const after = dormouse.counters();
    expect(after.recorded).toBeGreaterThan(before.recorded);
    expect(after.dropped).toBe(0);
  });
});

describe('bad input', () => {
  const secret = 'jane.doe@example.com';
  const id = unknownId();
  const any = (value: unknown) => value as never;
  const mistakes: [string, () => Promise<unknown>, RegExp][] = [
    ['an e-mail address as id', () => dormouse.recordActivity(secret), /identityId/],
    ['no id', () => dormouse.recordActivity(any(undefined)), /identityId/],
    ['the zero UUID', () => dormouse.recordActivity('00000000-0000-0000-0000-000000000000'), /identityId/],
    ['half an id', () => dormouse.recordActivity(id.slice(0, 20)), /identityId/],
    ['an id of a standing', () => dormouse.standing(secret), /identityId/],
    ['an id of a live standing', () => dormouse.liveStanding(secret), /identityId/],
    ['an id to enrol', () => dormouse.enrol(secret), /identityId/],
    [
      'an id to hold',
      () => dormouse.hold(secret, { actor, reason: 'leave', until: inDays(1) }),
      /identityId/,
    ],
    ['an id to release', () => dormouse.release(secret, { actor, reason: 'back' }), /identityId/],
    ['an id to reactivate', () => dormouse.reactivate(secret, { actor, reason: 'back' }), /identityId/],
    ['an id to apply a policy to', () => dormouse.applyPolicy(secret, { actor, policyId }), /identityId/],
    ['an id to retry', () => dormouse.retryParked(secret, { actor }), /identityId/],
    ['seconds', () => dormouse.recordActivity(id, { at: Math.round(Date.now() / 1_000) }), /^at: .*seconds/],
    ['NaN', () => dormouse.recordActivity(id, { at: Number.NaN }), /^at: is not a time/],
    ['an invalid Date', () => dormouse.recordActivity(id, { at: new Date(secret) }), /^at: is not a time/],
    ['infinity', () => dormouse.recordActivity(id, { at: Number.POSITIVE_INFINITY }), /^at: is not a time/],
    ['null', () => dormouse.recordActivity(id, { at: any(null) }), /^at: /],
    ['an unknown kind', () => dormouse.recordActivity(id, { kind: any(secret) }), /^kind: /],
    ['an address as source', () => dormouse.recordActivity(id, { source: secret }), /^source: /],
    ['an empty source', () => dormouse.recordActivity(id, { source: '' }), /^source: /],
    ['a long source', () => dormouse.recordActivity(id, { source: 'x'.repeat(65) }), /^source: /],
    ['seconds at enrolment', () => dormouse.enrol(id, { lastActiveAt: 1_700_000_000 }), /^lastActiveAt: /],
    ['an address as policy', () => dormouse.enrol(id, { policyId: secret }), /^policyId: /],
    [
      'an address as request id',
      () => dormouse.retryParked(id, { actor, requestId: secret }),
      /^requestId: /,
    ],
    ['an empty request id', () => dormouse.retryParked(id, { actor, requestId: '' }), /^requestId: /],
  ];

  it.each(mistakes)('%s: refused by name, without repeating it', async (_name, call, message) => {
    const error = await rejection(call());
    expect([InvalidIdentityIdError, InvalidRequestError]).toContain(error.constructor);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('jane');
    expect(error.message).not.toContain(id.slice(0, 8));
  });

  it('reaches nothing', async () => {
    expect(await readSigns(pool, id)).toEqual({});
    expect(await rejection(dormouse.liveStanding(id))).toBeInstanceOf(NotEnrolledError);
  });

  it("of operators' requests is refused by the workflow, without repeating it", async () => {
    const person = await enrolled();
    const reason = 'parental leave';
    const until = inDays(1);
    const refused: [() => Promise<unknown>, RegExp][] = [
      [() => dormouse.hold(person.id, { actor: secret, reason, until }), /^actor: /],
      [() => dormouse.hold(person.id, { actor, reason: `asked by ${secret}`, until }), /^reason: /],
      [() => dormouse.hold(person.id, { actor, reason: ' ', until }), /^reason: is empty/],
      [() => dormouse.hold(person.id, { actor, reason: 'x'.repeat(201), until }), /^reason: is longer/],
      [
        () => dormouse.hold(person.id, { actor, reason, until: Date.now() - 1_000 }),
        /^until: is in the past/,
      ],
      [() => dormouse.hold(person.id, { actor, reason, until: inDays(5_000) }), /^until: .*three years/],
      [() => dormouse.hold(person.id, { actor, reason, until: Number.NaN }), /^until: /],
      [() => dormouse.applyPolicy(person.id, { actor, policyId: secret }), /^policyId: /],
      [() => dormouse.applyPolicy(person.id, { actor, policyId, version: 0 }), /^version: /],
      [() => dormouse.applyPolicy(person.id, { actor, policyId: 'never-published' }), /never published/],
      [() => dormouse.release(person.id, { actor, reason }), /no hold/],
      [() => dormouse.reactivate(person.id, { actor, reason }), /has not deactivated/],
      [() => dormouse.retryParked(person.id, { actor }), /no step is parked/],
    ];
    for (const [call, message] of refused) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain('jane');
    }
    const types = (await readAudit(pool, person.id)).map(({ eventType }) => eventType);
    expect(types).toEqual(['lifecycle_started']);
  });
});

describe.concurrent('enrol', () => {
  it('starts a lifecycle once', async () => {
    const { id } = await people.create('client');
    expect(await dormouse.enrol(id)).toBe(true);
    expect(await dormouse.enrol(id)).toBe(false);
  });

  it('takes the last known sign of life, and the policy', async () => {
    const { id } = await people.create('client');
    const own = await publish(pool, slowPolicy(fresh('own')));
    const lastActiveAt = new Date(Date.now() - 5 * dayMs);
    await dormouse.enrol(id, { lastActiveAt, policyId: own.id });
    const standing = await eventually('its standing', () => dormouse.standing(id));
    expect(standing.activity.human).toBe(lastActiveAt.getTime());
    expect(standing.policy).toEqual(own);
    // The clock starts at the creation of the account at the earliest.
    expect(standing.lastActiveAt).toBeGreaterThan(lastActiveAt.getTime());
  });
});

describe.concurrent('requests of operators', () => {
  it('hold and release', async () => {
    const { id } = await enrolled();
    const until = inDays(30);
    const held = await dormouse.hold(id, { actor, reason: 'parental leave', until: new Date(until) });
    expect(held).toMatchObject({
      blocked: { by: 'hold' },
      hold: { actor, reason: 'parental leave', until },
    });
    expect((await dormouse.standing(id))?.hold?.until).toBe(until);
    const released = await dormouse.release(id, { actor, reason: 'back early' });
    expect(released).not.toHaveProperty('hold');
    expect(released).not.toHaveProperty('blocked');
    expect(await auditOf(id, 'hold_released')).toMatchObject([{ actor, detail: { reason: 'back early' } }]);
  });

  it('are carried out once for each request id', async () => {
    const { id } = await enrolled();
    const first = { actor, reason: 'leave', until: inDays(30), requestId: 'ticket-1' };
    await dormouse.hold(id, first);
    await dormouse.release(id, { actor, reason: 'back', requestId: 'ticket-2' });
    await dormouse.hold(id, first);
    expect((await dormouse.liveStanding(id)).hold).toBeUndefined();
    await dormouse.release(id, { actor, reason: 'back', requestId: 'ticket-2' });
    expect((await dormouse.liveStanding(id)).hold).toBeUndefined();
    expect(await auditOf(id, 'hold_set')).toHaveLength(1);
    expect(await auditOf(id, 'hold_released')).toHaveLength(1);
  });

  it('applyPolicy, of a set version and of the latest', async () => {
    const { id } = await enrolled();
    const other = await publish(pool, slowPolicy(fresh('other')));
    const second = await publish(pool, slowPolicy(other.id, '# second\n'));
    const pinned = await dormouse.applyPolicy(id, { actor, policyId: other.id, version: 1 });
    expect(pinned.policy).toEqual(other);
    const latest = await dormouse.applyPolicy(id, { actor, policyId: other.id });
    expect(latest.policy).toEqual(second);
    expect(await auditOf(id, 'policy_applied')).toMatchObject([
      { actor, outcome: 'version 1' },
      { actor, outcome: 'latest' },
    ]);
  });

  it('reactivate: the person may sign in again, and no old session comes back to life', async () => {
    const { person, signIn } = await deactivated();
    expect(await stateOf(people, person.id)).toBe('inactive');
    expect(await people.signIn(person)).toBeUndefined();
    const request = { actor, reason: 'asked at the desk', requestId: 'desk-1' };
    expect(await dormouse.reactivate(person.id, request)).toMatchObject({ stage: 'active' });
    expect(await stateOf(people, person.id)).toBe('active');
    if (signIn === undefined) throw new Error('no sign-in');
    expect(await people.isSignedIn(signIn)).toBe(false);
    expect(await people.signIn(person)).toBeDefined();
    await dormouse.hold(person.id, { actor, reason: 'end of the test', until: inDays(1) });
    await dormouse.reactivate(person.id, request);
    expect(await auditOf(person.id, 'account_reactivated')).toMatchObject([
      { actor, detail: { reason: 'asked at the desk' } },
    ]);
  });

  it('retryParked: a parked step is done once its cause is mended', async () => {
    const policy = await publish(pool, fastPolicy(fresh('fast')));
    const person = await people.create('client');
    await makeUnfit(kratosDatabase, person.id);
    const signIn = await people.signIn(person);
    const { accessToken } = await people.authorize(person);
    await dormouse.enrol(person.id, { policyId: policy.id });
    const parked = await eventually('its parking', async () => {
      const found = await dormouse.standing(person.id);
      return found?.parked !== undefined && found;
    });
    expect(parked).toMatchObject({
      blocked: { by: 'parked' },
      parked: { step: 'deactivate', errorType: 'IdentityDoesNotFitSchema' },
    });
    // Unfit or not: sessions and tokens are gone.
    if (signIn !== undefined) expect(await people.isSignedIn(signIn)).toBe(false);
    expect(await people.isTokenActive(accessToken)).toBe(false);
    await makeFit(kratosDatabase, person.id);
    await dormouse.retryParked(person.id, { actor });
    await eventually('its deactivation', async () => {
      return (await dormouse.standing(person.id))?.stage === 'deactivated';
    });
    expect(await stateOf(people, person.id)).toBe('inactive');
  });
});

describe.concurrent('an identity that was never enrolled', () => {
  const id = unknownId();
  it.each<[string, () => Promise<unknown>]>([
    ['liveStanding', () => dormouse.liveStanding(id)],
    ['reactivate', () => dormouse.reactivate(id, { actor, reason: 'back' })],
    ['applyPolicy', () => dormouse.applyPolicy(id, { actor, policyId })],
    ['retryParked', () => dormouse.retryParked(id, { actor })],
  ])('%s says so', async (_name, call) => {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(NotEnrolledError);
    expect(error.message).not.toContain(id);
  });

  it('has no standing', async () => {
    expect(await dormouse.standing(id)).toBeUndefined();
  });
});
