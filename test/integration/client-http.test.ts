/** The client over HTTP: against a real gateway, and against gateways that answer wrongly or not at all. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  createDormouse,
  type Dormouse,
  type DormouseOptions,
  DormouseUnavailableError,
  InvalidIdentityIdError,
  InvalidRequestError,
  NotAuthorizedError,
  NotEnrolledError,
} from '../../src/client.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { typed } from '../support/command.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { openClientHarness } from '../support/harness/client.js';
import { fresh, publish, slowPolicy } from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';

const token = 'a-service-token-of-at-least-32-characters';
const operator = { actor: 'operator-7', reason: 'CASE-7' };
const inAWeek = () => Date.now() + 7 * 86_400_000;

describe('with a gateway', async () => {
  const system = await openClientHarness();
  let gateway: TestGateway;
  let dormouse: Dormouse;
  const { people, pool } = system.harness;
  beforeAll(async () => {
    gateway = await listenGateway({ stack: inject('stack'), wrap: () => system.dormouse });
    dormouse = createDormouse({
      gateway: { url: `${gateway.url}/`, token: gateway.tokens[0] },
      timeoutMs: 20_000,
    });
  });
  afterAll(async () => {
    await dormouse.close();
    await gateway.close();
    await system.harness.end();
  });

  async function enrolled(): Promise<string> {
    const { id } = await people.create('client-http');
    expect(await dormouse.enrol(id, { lastActiveAt: new Date(), policyId: system.policyId })).toBe(true);
    await eventually('the first standing', () => dormouse.standing(id));
    return id;
  }

  it('a sign of life that was awaited is in PostgreSQL', async () => {
    const { id } = await people.create('client-http');
    const at = Date.now() - 1_000;
    expect(await dormouse.recordActivity(id, { at, kind: 'token', source: 'api' })).toBe('recorded');
    expect(await readSigns(pool, id)).toEqual({ token: at });
  });

  it('signs of life that were noted are in PostgreSQL when close ends', async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const own = createDormouse({ gateway: { url: gateway.url, token: gateway.tokens[1] } });
    for (const id of ids) own.noteActivity(id);
    await own.close();
    expect(own.counters()).toMatchObject({ noted: 20, pending: 0, dropped: 0 });
    const { rows } = await pool.query('SELECT FROM identity_activity WHERE identity_id = ANY($1)', [ids]);
    expect(rows).toHaveLength(20);
  });

  it('an unknown identity has no standing, and nothing was revoked for it', async () => {
    expect(await dormouse.standing(randomUUID())).toBeUndefined();
    expect(await dormouse.revokedBefore(randomUUID())).toBeUndefined();
    expect(await rejection(dormouse.liveStanding(randomUUID()))).toBeInstanceOf(NotEnrolledError);
    expect(await rejection(dormouse.lookAgain(randomUUID()))).toBeInstanceOf(NotEnrolledError);
  });

  it('a revocation is told to the millisecond', async () => {
    const id = randomUUID();
    const at = Date.now() - 12_345;
    await writeNotBefore(pool, id, at);
    expect(await dormouse.revokedBefore(id)).toBe(at);
  });

  it('an operator holds and releases, and the standing from the workflow says so', async () => {
    const id = await enrolled();
    const until = inAWeek();
    const held = await dormouse.hold(id, { ...operator, until, kind: 'leave', requestId: 'r-1' });
    expect(held).toMatchObject({ stage: 'active', hold: { until, kind: 'leave' } });
    expect(await dormouse.liveStanding(id)).toMatchObject({ hold: { until } });
    await dormouse.lookAgain(id);
    expect(await dormouse.release(id, operator)).not.toHaveProperty('hold');
    expect(await dormouse.enrol(id)).toBe(false);
  });

  it('the standing from the workflow names all that is in the way, and when the credentials of each type end', async () => {
    const { id: policyId } = await publish(
      pool,
      `${slowPolicy(fresh('credentials'))}tokens: { refresh: {}, personal: { types: { ci: { inactive: never } } } }\n`,
    );
    const { id } = await people.create('client-http');
    const lastActiveAt = Date.now() - 86_400_000;
    await dormouse.enrol(id, { lastActiveAt, policyId });
    await eventually('the first standing', () => dormouse.standing(id));
    const revokeAfterMs = 90 * 86_400_000;
    const free = await dormouse.liveStanding(id);
    expect(free.obstacles).toEqual([]);
    const tokens = [
      { kind: 'refresh', policyId, inactiveMs: 180 * 86_400_000, live: 0 },
      { kind: 'personal', type: 'personal', policyId, inactiveMs: 365 * 86_400_000, live: 0 },
      { kind: 'personal', type: 'ci', policyId, inactiveMs: null, live: 0 },
    ];
    expect(free.credentials).toEqual([
      { kind: 'session', policyId, inactiveMs: revokeAfterMs, nextEndAt: free.lastActiveAt + revokeAfterMs },
      ...tokens,
    ]);

    const exemption = { kind: 'break-glass' as const, owner: 'team-identity', reviewAt: inAWeek() };
    await dormouse.exempt(id, { ...operator, ...exemption });
    await dormouse.hold(id, { ...operator, until: inAWeek(), requestId: 'r-2' });
    const held = await eventually('both obstacles', async () => {
      const live = await dormouse.liveStanding(id);
      return live.obstacles?.length === 2 ? live : undefined;
    });
    expect(held.obstacles?.map(({ by }) => by)).toEqual(['exempt', 'hold']);
    expect(held.blocked).toEqual(held.obstacles?.[0]);
    expect(held.credentials?.[0]).toEqual({ kind: 'session', policyId, inactiveMs: revokeAfterMs });
    expect(await dormouse.standing(id)).not.toHaveProperty('obstacles');
    const { all = '' } = await typed(
      { DORMOUSE_GATEWAY: gateway.url, DORMOUSE_TOKEN: gateway.tokens[0] ?? '' },
      ['standing', id],
    );
    expect(all).toMatch(/^also {6}hold: on hold \(CASE-7\)/m);
    expect(all).toMatch(/^ends {6}session end unused after 90d, by policy/m);
    expect(all).toMatch(/^ends {6}refresh end unused after 180d, by policy .*: 0 live/m);
  });

  it('an operator exempts, reviews, lists and ends', async () => {
    const id = await enrolled();
    const reviewAt = inAWeek();
    const request = { ...operator, kind: 'break-glass' as const, owner: 'team-identity' };
    expect(await dormouse.exempt(id, { ...request, reviewAt })).toMatchObject({ identityId: id, reviewAt });
    expect(
      await dormouse.reviewExemption(id, { ...operator, reviewAt: new Date(reviewAt + 1) }),
    ).toMatchObject({ reviewAt: reviewAt + 1 });
    expect((await dormouse.endExemption(id, operator)).endedAt).toBeGreaterThan(0);
    const { counts, items } = await dormouse.worklist({ kind: 'parked', limit: 5 });
    expect(counts.parked).toBeGreaterThanOrEqual(0);
    expect(items.length).toBeLessThanOrEqual(5);
  });

  it("a caller's mistake is an error that names the field, and nothing is sent where the id is none", async () => {
    const id = await enrolled();
    expect(await rejection(dormouse.hold(id, { ...operator, until: Number.NaN }))).toMatchObject({
      name: 'InvalidRequestError',
      message: expect.stringMatching(/^until: /),
    });
    const past = dormouse.hold(id, { ...operator, until: Date.now() - 1_000 });
    expect(await rejection(past)).toBeInstanceOf(InvalidRequestError);
    const noPolicy = dormouse.applyPolicy(id, { actor: 'operator-7', policyId: 'Not An Id' });
    expect(await rejection(noPolicy)).toMatchObject({ message: expect.stringMatching(/^policyId: /) });
    expect(await rejection(dormouse.retryParked(id, { actor: 'operator-7' }))).toBeInstanceOf(
      InvalidRequestError,
    );
    expect(await rejection(dormouse.standing('../../v1/worklist'))).toBeInstanceOf(InvalidIdentityIdError);
    expect(() => dormouse.noteActivity('jo@example.com')).toThrow(InvalidIdentityIdError);
  });

  it('a token that the gateway does not take is an error of its own', async () => {
    const stranger = createDormouse({ gateway: { url: gateway.url, token } });
    expect(await rejection(stranger.standing(randomUUID()))).toBeInstanceOf(NotAuthorizedError);
    expect(await rejection(stranger.recordActivity(randomUUID()))).toBeInstanceOf(NotAuthorizedError);
    await stranger.close();
  });
});

describe('with a gateway that fails', () => {
  let server: Server | undefined;
  afterEach(
    () => new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve))),
  );

  /** @param answer takes the body of each request; the last one stays */
  async function client(
    answers: ((response: ServerResponse, body: string) => void)[],
    more: Partial<DormouseOptions> = {},
  ) {
    const bodies: string[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const answer = answers[Math.min(bodies.length, answers.length - 1)];
        bodies.push(body);
        answer?.(response, body);
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const dormouse = createDormouse({ gateway: { url, token }, batchMs: 5, timeoutMs: 500, ...more });
    return { dormouse, bodies };
  }
  const reply = (status: number, body: string, headers: Record<string, string> = {}) => {
    return (response: ServerResponse) => {
      response.writeHead(status, headers).end(body);
    };
  };
  const taken = (response: ServerResponse, body: string) => {
    const results = body.split('\n').map((_line, index) => ({ line: index + 1, outcome: 'recorded' }));
    reply(202, JSON.stringify({ recorded: results.length, invalid: 0, unavailable: 0, results }))(response);
  };

  // biome-ignore format: a table
  it.each<[string, (response: ServerResponse) => void]>([
    ['500', reply(500, '{"error":"server_error","message":"failed"}')],
    ['503', reply(503, '{"error":"temporarily_unavailable","message":"away"}')],
    ['429', reply(429, '{"error":"too_many","message":"later"}', { 'retry-after': '5' })],
    ['a page of a proxy with 200', reply(200, '<h1>Welcome</h1>')],
    ['a page of a proxy with 404', reply(404, '<h1>Not found</h1>')],
    ['half a JSON', reply(200, '{"stage":"act')],
    ['nothing', reply(200, '')],
    ['a redirect to another host', reply(302, '', { location: 'https://example.com/' })],
    ['a closed connection', (response) => response.destroy()],
    ['an answer without an end', (response) => { response.writeHead(200); response.write('{'); }],
    ['5 MB', reply(200, JSON.stringify({ stage: 'x'.repeat(5_000_000) }))],
  ])('%s is no answer: the call rejects, and a dropped sign of life is counted', async (_name, answer) => {
    const { dormouse } = await client([answer], { whenUnavailable: 'drop' });
    const id = randomUUID();
    expect(await rejection(dormouse.standing(id))).toBeInstanceOf(DormouseUnavailableError);
    expect(await rejection(dormouse.revokedBefore(id))).toBeInstanceOf(DormouseUnavailableError);
    expect(await dormouse.recordActivity(id)).toBe('dropped');
    expect(dormouse.counters().dropped).toBe(1);
    server?.closeAllConnections();
  });

  it('a time of revocation that is none is no answer', async () => {
    const { dormouse } = await client([reply(200, '{"revokedBefore":"soon"}')]);
    expect(await rejection(dormouse.revokedBefore(randomUUID()))).toBeInstanceOf(DormouseUnavailableError);
  });

  it('signs of life that were noted are kept and sent again until they are taken, and the app is told', async () => {
    const errors: Error[] = [];
    const onError = (error: Error) => {
      errors.push(error);
      throw new Error('a mistake of the app');
    };
    const some = reply(
      202,
      '{"results":[{"line":1,"outcome":"recorded"},{"line":2,"outcome":"unavailable"}]}',
    );
    const { dormouse, bodies } = await client([reply(503, '{}'), some, taken], { onError });
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) dormouse.noteActivity(id);
    await eventually('the third batch', async () => bodies.length >= 3 && dormouse.counters().pending === 0);
    expect(errors.map(({ name }) => name)).toEqual(['DormouseUnavailableError', 'DormouseUnavailableError']);
    for (const body of bodies.slice(0, 3)) {
      expect(body.split('\n').map((line) => JSON.parse(line).identityId)).toEqual(ids);
    }
    expect(dormouse.counters()).toMatchObject({ noted: 2, dropped: 0, pending: 0 });
    await dormouse.close();
  });

  it('2,500 signs of life go in five requests', async () => {
    const { dormouse, bodies } = await client([taken]);
    for (let i = 0; i < 2_500; i += 1) dormouse.noteActivity(randomUUID());
    await dormouse.close();
    expect(bodies.map((body) => body.split('\n').length)).toEqual([500, 500, 500, 500, 500]);
    expect(dormouse.counters()).toMatchObject({ noted: 2_500, pending: 0, dropped: 0 });
  });

  it('memory is bounded while the gateway is away, and close ends all the same', async () => {
    const { dormouse } = await client([reply(503, '{}')], { maxPending: 10, requestTimeoutMs: 200 });
    for (let i = 0; i < 1_000; i += 1) dormouse.noteActivity(randomUUID());
    const { noted, pending, dropped } = dormouse.counters();
    expect({ noted, pending, dropped }).toEqual({ noted: 1_000, pending: 10, dropped: 990 });
    await dormouse.close();
  });
});

it.each([
  ['ftp://dormouse.example', token, /^gateway.url: /],
  ['https://user:secret@dormouse.example', token, /^gateway.url: /],
  ['https://dormouse.example?x=1', token, /^gateway.url: /],
  ['dormouse.example', token, /^gateway.url: /],
  ['https://dormouse.example', '', /^gateway.token: /],
  ['https://dormouse.example', 'two\nlines', /^gateway.token: /],
])('the gateway %s with the token %j is refused at once', (url, given, message) => {
  expect(() => createDormouse({ gateway: { url, token: given } })).toThrow(message);
  expect(() => createDormouse({ gateway: { url, token: given } })).not.toThrow(/secret/);
});
