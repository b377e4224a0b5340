/** Calls to Kratos and Hydra that fail on the way, over a real wire. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { createOryClients } from '../../src/ory/clients.js';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { closedPort } from '../support/fault-tcp.js';
import { fresh, openOutside, publish, slowPolicy, stateOf } from '../support/system-outside.js';
import { rejection } from '../support/system-wait.js';

const outside = openOutside();
const { people } = outside;
const timeoutMs = 2_000;
let kratos: FaultProxy;
let hydra: FaultProxy;
let person: Person;
let policyId: string;
let through: ReturnType<typeof outside.activitiesOn>;

beforeAll(async () => {
  kratos = await startFaultProxy(outside.stack.kratos.adminUrl);
  hydra = await startFaultProxy(outside.stack.hydra.adminUrl);
  through = outside.activitiesOn(
    createOryClients({ kratosAdminUrl: kratos.url, hydraAdminUrl: hydra.url, timeoutMs }),
  );
  policyId = (await publish(outside.pool, slowPolicy(fresh('faults')))).id;
});
const freshPerson = async () => {
  person = await people.create('faults', { traits: { name: 'Secret Name' } });
};
afterEach(() => {
  kratos.heal();
  hydra.heal();
});
afterAll(async () => {
  await Promise.all([kratos.close(), hydra.close(), outside.close()]);
});

const look = () => ({
  identityId: person.id,
  inactiveSince: Date.now(),
  keepsAlive: ['human', 'token'] as const,
});

/** The fault, with a body that holds what must never leave the activity. */
const answer = (status: number, headers: Record<string, string> = {}): Fault => ({
  kind: 'answer',
  status,
  headers,
  body: JSON.stringify({ error: { code: status, message: `no ${person.email} Secret Name` } }),
});

interface Expected {
  readonly type: string;
  readonly nonRetryable: boolean;
  readonly nextRetryDelay?: unknown;
}

const faults: [string, () => Fault, Expected][] = [
  ['400', () => answer(400), { type: 'Refused', nonRetryable: true }],
  ['401', () => answer(401), { type: 'Unauthorized', nonRetryable: false }],
  ['403', () => answer(403), { type: 'Unauthorized', nonRetryable: false }],
  ['409', () => answer(409), { type: 'Failed', nonRetryable: false }],
  [
    '429 with Retry-After',
    () => answer(429, { 'retry-after': '7' }),
    { type: 'Busy', nonRetryable: false, nextRetryDelay: 7_000 },
  ],
  [
    '429 without Retry-After',
    () => answer(429),
    { type: 'Busy', nonRetryable: false, nextRetryDelay: undefined },
  ],
  [
    '429 with an endless Retry-After',
    () => answer(429, { 'retry-after': '99999999' }),
    { type: 'Busy', nonRetryable: false, nextRetryDelay: 3_600_000 },
  ],
  [
    '429 with a date',
    () => answer(429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
    { type: 'Busy', nonRetryable: false, nextRetryDelay: undefined },
  ],
  ['500', () => answer(500), { type: 'Failed', nonRetryable: false }],
  ['502', () => answer(502), { type: 'Failed', nonRetryable: false }],
  [
    'a redirect',
    () => answer(302, { location: 'http://127.0.0.1:9/' }),
    { type: 'Refused', nonRetryable: true },
  ],
  ['no answer', () => ({ kind: 'no-answer' }), { type: 'Unavailable', nonRetryable: false }],
  ['a reset connection', () => ({ kind: 'reset' }), { type: 'Unavailable', nonRetryable: false }],
  ['a lost answer', () => ({ kind: 'answer-lost' }), { type: 'Unavailable', nonRetryable: false }],
  ['an answer that breaks off', () => ({ kind: 'truncated' }), { type: 'Unavailable', nonRetryable: false }],
];

const malformed: [string, () => Fault][] = [
  ['a page of a proxy', () => ({ kind: 'answer', status: 200, body: `<html>${person.email}</html>` })],
  [
    'half a JSON',
    () => ({ kind: 'answer', status: 200, body: `{"id":"${person.id}","traits":{"email":"${person.email}` }),
  ],
  ['nothing', () => ({ kind: 'answer', status: 200, body: '' })],
  ['JSON of another form', () => ({ kind: 'answer', status: 200, body: '{"id":17}' })],
  ['a 404 that is not its own', () => ({ kind: 'answer', status: 404, body: '<h1>404 not found</h1>' })],
  ['an empty 404', () => ({ kind: 'answer', status: 404, body: '' })],
];

function expectFailure(error: Error, expected: Expected): void {
  expect(error).toMatchObject(expected);
  const visible = JSON.stringify([error.message, error, String(error.cause)]);
  for (const secret of [
    person.email ?? '',
    person.email?.split('@')[0] ?? '',
    'Secret',
    'html',
    'leftover',
  ]) {
    expect(visible).not.toContain(secret);
  }
  expect(error.cause).toBeUndefined();
}

const onKratos = (expected: Expected) => ({ ...expected, type: `Kratos${expected.type}` });
const onHydra = (expected: Expected) => ({ ...expected, type: `Hydra${expected.type}` });

describe('reading Kratos', () => {
  beforeAll(freshPerson);

  it.each(faults)('%s', async (_name, fault, expected) => {
    kratos.inject(fault());
    const failure = await rejection(
      through.assess({ identityId: person.id, policyChoice: { id: policyId } }),
    );
    expectFailure(failure, onKratos(expected));
  });

  it.each(malformed)('%s is never taken for an identity, or for its absence', async (_name, fault) => {
    kratos.inject(fault(), /^GET \/admin\/identities\/[^/]+$/);
    const failure = await rejection(
      through.assess({ identityId: person.id, policyChoice: { id: policyId } }),
    );
    expectFailure(failure, { type: 'KratosMalformedAnswer', nonRetryable: false });
  });

  it.each(malformed)('%s is never taken for the absence of sessions', async (_name, fault) => {
    await people.signIn(person);
    kratos.inject(fault(), /^GET .*sessions/);
    expectFailure(await rejection(through.endSessions({ identityId: person.id })), {
      type: 'KratosMalformedAnswer',
      nonRetryable: false,
    });
  });

  it('another identity than the one that was asked for is not taken for it', async () => {
    const other = await people.create('faults');
    const { data } = await people.identities.getIdentity({ id: other.id });
    kratos.inject(
      { kind: 'answer', status: 200, body: JSON.stringify(data) },
      /^GET \/admin\/identities\/[^/]+$/,
    );
    expectFailure(await rejection(through.disableIdentity(look())), {
      type: 'KratosMalformedAnswer',
      nonRetryable: false,
    });
    expect(await stateOf(people, person.id)).toBe('active');
  });

  it('a closed port', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const away = outside.activitiesOn(createOryClients({ kratosAdminUrl: url, hydraAdminUrl: url }));
    const failure = await rejection(away.enableIdentity({ identityId: person.id }));
    expectFailure(failure, { type: 'KratosUnavailable', nonRetryable: false });
  });
});

describe('the patch of a state', () => {
  beforeEach(freshPerson);

  it.each(faults)('%s', async (name, fault, expected) => {
    kratos.inject(fault(), /^PATCH /, 1);
    const type = name === '400' ? 'IdentityDoesNotFitSchema' : `Kratos${expected.type}`;
    expectFailure(await rejection(through.disableIdentity(look())), { ...expected, type });
  });

  it("is known as the engine's own where only its answer was lost", async () => {
    kratos.inject({ kind: 'answer-lost' }, /^PATCH /, 1);
    await rejection(through.disableIdentity(look()));
    expect(await stateOf(people, person.id)).toBe('inactive');
    expect(await through.disableIdentity(look())).toEqual({ outcome: 'done' });
    expect(await through.enableIdentity({ identityId: person.id })).toEqual({ outcome: 'done' });
  });

  it("is known as the engine's own where only the read behind it failed", async () => {
    let reads = 0;
    kratos.inject(
      {
        kind: 'meanwhile',
        deed: async () => {
          reads += 1;
          kratos.inject({ kind: 'reset' }, /^GET /, 1);
        },
      },
      /^PATCH /,
      1,
    );
    await rejection(through.disableIdentity(look()));
    expect(reads).toBe(1);
    kratos.heal();
    expect(await through.disableIdentity(look())).toEqual({ outcome: 'done' });
    expect(await through.enableIdentity({ identityId: person.id })).toEqual({ outcome: 'done' });
  });

  it('back to active may be repeated if its answer was lost', async () => {
    await through.disableIdentity(look());
    kratos.inject({ kind: 'answer-lost' }, /^PATCH /, 1);
    await rejection(through.enableIdentity({ identityId: person.id }));
    expect(await through.enableIdentity({ identityId: person.id })).toEqual({ outcome: 'done' });
    expect(await stateOf(people, person.id)).toBe('active');
  });

  it('that Kratos claims to have made and did not is not believed', async () => {
    kratos.inject({ kind: 'answer', status: 200, body: '{}' }, /^PATCH /, 1);
    expectFailure(await rejection(through.disableIdentity(look())), {
      type: 'StateNotTaken',
      nonRetryable: false,
    });
  });
});

describe('other writes to Kratos', () => {
  beforeEach(freshPerson);

  it('publishStage: refused by 400 alone, repeated after a lost answer', async () => {
    const stage = { identityId: person.id, stage: 'warned', since: 1_700_000_000_000 } as const;
    kratos.inject(answer(400), /^PATCH /, 1);
    expect(await through.publishStage(stage)).toBe('refused');
    kratos.inject(answer(502), /^PATCH /, 1);
    expectFailure(await rejection(through.publishStage(stage)), {
      type: 'KratosFailed',
      nonRetryable: false,
    });
    kratos.inject({ kind: 'answer-lost' }, /^PATCH /, 1);
    expectFailure(await rejection(through.publishStage(stage)), {
      type: 'KratosUnavailable',
      nonRetryable: false,
    });
    expect(await through.publishStage(stage)).toBe('published');
  });

  it.each(faults)('the deletion of sessions: %s', async (_name, fault, expected) => {
    await people.signIn(person);
    kratos.inject(fault(), /^DELETE /, 1);
    expectFailure(await rejection(through.endSessions({ identityId: person.id })), onKratos(expected));
    await through.endSessions({ identityId: person.id });
    expect((await people.identities.listIdentitySessions({ id: person.id })).data).toEqual([]);
  });

  it('the deletion of an identity counts as done where only its answer was lost', async () => {
    await through.disableIdentity(look());
    kratos.inject({ kind: 'answer-lost' }, /^DELETE /, 1);
    const request = look();
    expectFailure(await rejection(through.deleteIdentity(request)), {
      type: 'KratosUnavailable',
      nonRetryable: false,
    });
    expect(await through.deleteIdentity(request)).toEqual({ outcome: 'done' });
  });

  it('the deletion of an identity is not believed before it is gone', async () => {
    await through.disableIdentity(look());
    kratos.inject({ kind: 'answer', status: 204, body: '' }, /^DELETE /, 1);
    expectFailure(await rejection(through.deleteIdentity(look())), {
      type: 'StateNotTaken',
      nonRetryable: false,
    });
  });

  it('a failed look at the sessions stops the deed', async () => {
    kratos.inject(answer(500), /^GET .*sessions/);
    expectFailure(await rejection(through.disableIdentity(look())), {
      type: 'KratosFailed',
      nonRetryable: false,
    });
    expect(await stateOf(people, person.id)).toBe('active');
  });
});

describe('Hydra', () => {
  beforeAll(freshPerson);

  it.each(faults)('the list of consents: %s', async (_name, fault, expected) => {
    hydra.inject(fault(), /^GET /);
    expectFailure(await rejection(through.endTokens({ identityId: person.id })), onHydra(expected));
  });

  it.each(malformed)('%s is never taken for the absence of consents', async (_name, fault) => {
    hydra.inject(fault(), /^GET /);
    expectFailure(await rejection(through.endTokens({ identityId: person.id })), {
      type: 'HydraMalformedAnswer',
      nonRetryable: false,
    });
  });

  it.each([
    ['consents', /^DELETE .*consent/],
    ['login sessions', /^DELETE .*login/],
  ])('the revocation of %s is repeated, even if its answer was lost', async (_name, match) => {
    const { accessToken, refreshToken } = await people.authorize(person);
    for (const fault of [answer(500), { kind: 'reset' }, { kind: 'answer-lost' }] satisfies Fault[]) {
      hydra.inject(fault, match, 1);
      const type = fault.kind === 'answer' ? 'HydraFailed' : 'HydraUnavailable';
      expectFailure(await rejection(through.endTokens({ identityId: person.id })), {
        type,
        nonRetryable: false,
      });
    }
    expect(await through.endTokens({ identityId: person.id })).toEqual({ consents: 0 });
    expect(await people.isTokenActive(accessToken)).toBe(false);
    expect(await people.isTokenActive(refreshToken)).toBe(false);
  });
});
