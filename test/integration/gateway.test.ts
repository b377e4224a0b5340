/** The gateway over real HTTP: callers, requests, answers, and details that no answer has. */
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createEngineDormouse, type EngineDormouse } from '../../src/client/engine.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { createGateway } from '../../src/gateway/server.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { closedPort } from '../support/fault-tcp.js';
import { openClientHarness } from '../support/harness/client.js';
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
import { eventually } from '../support/system-wait.js';

const system = await openClientHarness();
const { people, pool, kratosPool: kratosDatabase, stack } = system.harness;
const { policyId } = system;
const tokens = [fresh('current-token-of-an-app'), fresh('next-token-of-an-app')] as const;
const closers: (() => Promise<void>)[] = [() => system.harness.end()];

/** Starts a gateway in front of a client. */
async function listen(dormouse: EngineDormouse): Promise<string> {
  const server = await createGateway({
    dormouse,
    serviceTokens: tokens,
    // All routes are tried with several wrong tokens each.
    rateLimits: { refusedPerMinute: 10_000 },
    log: pino({ level: 'silent' }),
  });
  closers.push(async () => {
    await server.close();
    if (dormouse !== system.dormouse) await dormouse.close();
  });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

const url = await listen(system.dormouse);
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  readonly body: any;
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  more: { base?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(new URL(path, more.base ?? url), {
    method,
    headers: {
      authorization: `Bearer ${tokens[0]}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...more.headers,
    },
    ...content,
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const post = (path: string, body?: unknown, more = {}) => send('POST', path, body, more);
const on = (id: string, action: string) => `/v1/identities/${id}/${action}`;
const actor = 'operator-7';
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

async function enrolled() {
  const person = await people.create('gateway');
  expect((await post(on(person.id, 'enrol'))).status).toBe(201);
  await eventually('its standing', async () => (await send('GET', on(person.id, 'standing'))).status === 200);
  return person;
}

async function standsAt(id: string, field: 'stage' | 'parked', value?: string) {
  return eventually(`${field} of the standing`, async () => {
    const { body } = await send('GET', on(id, 'standing'));
    return value === undefined ? body[field] !== undefined : body[field] === value;
  });
}

describe('who may call', () => {
  const routes: [string, string][] = [
    ['POST', '/v1/activity'],
    ['GET', '/v1/worklist'],
    ['GET', on(unknownId(), 'standing')],
    ...[
      ...['enrol', 'hold', 'release', 'reactivate', 'apply-policy', 'retry-parked', 'skip-parked'],
      ...['exempt', 'review-exemption', 'end-exemption'],
    ].map((action): [string, string] => ['POST', on(unknownId(), action)]),
  ];

  it.each(routes)('%s %s wants a token', async (method, path) => {
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${tokens[0]}x`,
      `Bearer ${tokens[0].slice(0, -1)}`,
      `Basic ${tokens[0]}`,
      tokens[0],
    ];
    for (const authorization of wrong) {
      const answer = await send(method, path, undefined, { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.body.error).toBe('unauthorized');
      expect(answer.text).not.toContain(tokens[0].slice(0, 10));
    }
  });

  it('asks for the token before it looks at the body', async () => {
    const answer = await post('/v1/activity', '{broken', { headers: { authorization: 'Bearer wrong' } });
    expect(answer.status).toBe(401);
  });

  it.each(tokens)('takes each of two tokens', async (token) => {
    const answer = await send('GET', on(unknownId(), 'standing'), undefined, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(404);
  });

  it('leaves the health page open, and forbids caching of answers', async () => {
    const answer = await send('GET', '/healthz', undefined, { headers: { authorization: '' } });
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('knows no other route', async () => {
    const answer = await send('GET', '/v1/everything');
    expect(answer).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });
});

describe('what it takes', () => {
  const secret = 'jane.doe@example.com';
  const id = unknownId();

  it('no more than 16 KiB', async () => {
    const answer = await post('/v1/activity', { identityId: id, source: 'x'.repeat(20_000) });
    expect(answer.status).toBe(413);
    expect(answer.body.error).toBe('invalid_request');
  });

  it('no malformed JSON, and nothing but JSON', async () => {
    const malformed = await post('/v1/activity', `{"identityId": ${secret}`);
    expect(malformed).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(malformed.text).not.toContain('jane');
    const form = await post('/v1/activity', `identityId=${secret}`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.status).toBe(415);
    expect(form.text).not.toContain('jane');
  });

  const hold = { actor, reason: 'leave', until: '2099-01-01T00:00:00Z' };
  const wrong: [string, string, unknown, RegExp][] = [
    ['an unknown field', '/v1/activity', { identityId: id, when: 1 }, /when/],
    ['no identity', '/v1/activity', {}, /^identityId: /],
    ['no body', '/v1/activity', undefined, /^body: /],
    ['an address as identity', '/v1/activity', { identityId: secret }, /^identityId/],
    ['an unknown kind', '/v1/activity', { identityId: id, kind: secret }, /^kind: /],
    ['a time in words', '/v1/activity', { identityId: id, at: secret }, /^at: /],
    ['seconds', '/v1/activity', { identityId: id, at: 1_700_000_000 }, /^at: .*seconds/],
    ['an address as source', '/v1/activity', { identityId: id, source: secret }, /^source: /],
    ['an address in the path', on(secret, 'enrol'), {}, /^identityId/],
    ['an unknown field to enrol', on(id, 'enrol'), { last: 1 }, /last/],
    ['an address as policy', on(id, 'enrol'), { policyId: secret }, /^policyId: /],
    ['no time', on(id, 'hold'), { actor, reason: 'leave' }, /^until: must be a time/],
    ['no reason', on(id, 'hold'), { ...hold, reason: undefined }, /^reason: /],
    ['an unknown field to hold', on(id, 'hold'), { ...hold, note: 'x' }, /note/],
    ['an address as request id', on(id, 'hold'), { ...hold, requestId: secret }, /^requestId: /],
    ['no body to reactivate', on(id, 'reactivate'), undefined, /^body: /],
    ['half a version', on(id, 'apply-policy'), { actor, policyId, version: 1.5 }, /^version: /],
  ];

  it.each(wrong)('not %s', async (_name, path, body, message) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe('invalid_request');
    expect(answer.body.message).toMatch(message);
    expect(answer.text).not.toContain('jane');
  });

  it("an operator's mistake is answered by its name", async () => {
    const person = await enrolled();
    for (const [action, body, message] of [
      ['hold', { ...hold, until: '2020-01-01T00:00:00Z' }, /^until: is in the past/],
      ['release', { actor, reason: 'back' }, /no hold/],
      ['apply-policy', { actor, policyId: 'never-published' }, /never published/],
    ] as const) {
      const answer = await post(on(person.id, action), body);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toMatch(message);
      expect(answer.text).not.toContain('jane');
    }
  });
});

describe('what it does', () => {
  it('records a sign of life', async () => {
    const person = await people.create('gateway');
    const at = new Date(Date.now() - 60_000).toISOString();
    const body = { identityId: person.id, at, kind: 'token', source: 'shop' };
    expect(await post('/v1/activity', body)).toMatchObject({ status: 202, body: { outcome: 'recorded' } });
    expect(await readSigns(pool, person.id)).toEqual({ token: Date.parse(at) });
    const later = Date.now() - 1_000;
    await post('/v1/activity', { identityId: person.id, at: later });
    expect(await readSigns(pool, person.id)).toEqual({ human: later, token: Date.parse(at) });
  });

  it('enrols once, and shows the standing', async () => {
    const person = await people.create('gateway');
    const lastActiveAt = new Date(Date.now() - 86_400_000).toISOString();
    const body = { lastActiveAt, policyId };
    expect(await post(on(person.id, 'enrol'), body)).toMatchObject({ status: 201, body: { started: true } });
    expect(await post(on(person.id, 'enrol'), body)).toMatchObject({ status: 200, body: { started: false } });
    await eventually(
      'its standing',
      async () => (await send('GET', on(person.id, 'standing'))).status === 200,
    );
    expect((await send('GET', on(person.id, 'standing'))).body).toMatchObject({
      identityId: person.id,
      stage: 'active',
      activity: { human: lastActiveAt },
    });
  });

  it('holds and releases, once for each request id', async () => {
    const { id } = await enrolled();
    const until = tomorrow();
    const hold = { actor, reason: 'leave', until, requestId: 'one' };
    expect(await post(on(id, 'hold'), hold)).toMatchObject({
      status: 200,
      body: { hold: { until: new Date(until).toISOString() } },
    });
    const released = await post(on(id, 'release'), { actor, reason: 'back' });
    expect(released.status).toBe(200);
    expect(released.body.hold).toBeUndefined();
    expect((await post(on(id, 'hold'), hold)).status).toBe(200);
    expect((await send('GET', on(id, 'standing'))).body.hold).toBeUndefined();
  });

  it('releases a legal hold only with the kind legal, and leaves the other holds', async () => {
    const { id } = await enrolled();
    const hold = { actor, reason: 'case 7', until: tomorrow() };
    await post(on(id, 'hold'), { ...hold, kind: 'leave' });
    const both = await post(on(id, 'hold'), { ...hold, kind: 'legal' });
    expect(both.body.holds.map((one: { id: string; kind: string }) => [one.id, one.kind])).toEqual([
      ['h1', 'leave'],
      ['h2', 'legal'],
    ]);
    const release = { actor, reason: 'over' };
    const refused = await post(on(id, 'release'), { ...release, holdId: 'h2' });
    expect(refused).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/Say kind "legal"/) },
    });
    const released = await post(on(id, 'release'), { ...release, kind: 'legal' });
    expect(released.body).toMatchObject({ blocked: { by: 'hold' }, holds: [{ id: 'h1', kind: 'leave' }] });
    expect((await post(on(id, 'release'), release)).body.holds).toBeUndefined();
  });

  it('exempts, shows the exemption in the work list, and ends it', async () => {
    const id = unknownId();
    const exempt = { actor, reason: 'batch', kind: 'service', owner: 'team/x', reviewAt: tomorrow() };
    expect(await post(on(id, 'exempt'), exempt)).toMatchObject({ status: 200, body: { owner: 'team/x' } });
    expect((await post(on(id, 'exempt'), exempt)).body.message).toMatch(/exempt already/);
    await pool.query('UPDATE exemption SET review_at = set_at WHERE identity_id = $1', [id]);
    const items = [];
    let next = '';
    do {
      const after = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
      const page = await send('GET', `/v1/worklist?kind=exemption-review&limit=2${after}`);
      expect(page.status).toBe(200);
      expect(page.body.counts['exemption-review']).toBeGreaterThan(0);
      items.push(...page.body.items);
      next = page.body.next ?? '';
    } while (next !== '');
    expect(items).toContainEqual(expect.objectContaining({ identityId: id, owner: 'team/x' }));
    for (const wrong of ['kind=everything', 'limit=0', 'limit=5000', 'after=parked:x', 'who=me'])
      expect((await send('GET', `/v1/worklist?${wrong}`)).status, wrong).toBe(400);
    const review = { actor, reason: 'still right', reviewAt: tomorrow() };
    expect((await post(on(id, 'review-exemption'), review)).status).toBe(200);
    expect((await post(on(id, 'end-exemption'), { actor, reason: 'over' })).body.endedAt).toMatch(/Z$/);
    expect((await post(on(id, 'end-exemption'), { actor, reason: 'over' })).status).toBe(400);
  });

  it('applies a policy', async () => {
    const { id } = await enrolled();
    const other = await publish(pool, slowPolicy(fresh('other')));
    const body = { actor, policyId: other.id, version: 1 };
    expect(await post(on(id, 'apply-policy'), body)).toMatchObject({ status: 200, body: { policy: other } });
  });

  it('retries a parked step, and reactivates a deactivated identity', async () => {
    const policy = await publish(pool, fastPolicy(fresh('fast')));
    const { id } = await people.create('gateway');
    await makeUnfit(kratosDatabase, id);
    await post(on(id, 'enrol'), { policyId: policy.id });
    await standsAt(id, 'parked');
    await makeFit(kratosDatabase, id);
    expect((await post(on(id, 'retry-parked'), { actor })).status).toBe(200);
    await standsAt(id, 'stage', 'deactivated');
    const answer = await post(on(id, 'reactivate'), { actor, reason: 'asked at the desk' });
    expect(answer).toMatchObject({ status: 200, body: { stage: 'active' } });
    expect(await stateOf(people, id)).toBe('active');
  });

  it.each([
    ['GET', 'standing', undefined],
    ['POST', 'reactivate', { actor, reason: 'back' }],
    ['POST', 'apply-policy', { actor, policyId: 'default' }],
    ['POST', 'retry-parked', { actor }],
    ['POST', 'skip-parked', { actor, reason: 'not to be done' }],
  ])('%s %s: 404 for an identity that was never enrolled', async (method, action, body) => {
    const answer = await send(method, on(unknownId(), action), body);
    expect(answer).toMatchObject({ status: 404, body: { error: 'not_enrolled' } });
  });
});

describe('an identity without a lifecycle', () => {
  it('is held with 202 and released by kind: the holds in force, and no standing', async () => {
    const id = unknownId();
    const hold = { actor, reason: 'case 7', until: tomorrow(), kind: 'legal', requestId: 'one' };
    const answer = await post(on(id, 'hold'), hold);
    expect(answer).toMatchObject({
      status: 202,
      body: {
        identityId: id,
        stage: 'none',
        holds: [{ id: 'h1', kind: 'legal', actor: 'config:service', reason: 'case 7' }],
      },
    });
    expect((await post(on(id, 'hold'), hold)).body.holds).toHaveLength(1);
    const release = { actor, reason: 'closed' };
    expect(await post(on(id, 'release'), release)).toMatchObject({ status: 400 });
    const released = await post(on(id, 'release'), { ...release, kind: 'legal' });
    expect(released.status).toBe(202);
    expect(released.body).not.toHaveProperty('holds');
    expect(await send('GET', on(id, 'standing'))).toMatchObject({ status: 404 });
  });
});

describe('trouble behind it', () => {
  it('Temporal away: 503 with Retry-After where it is needed, 202 for a sign of life', async () => {
    const away = await listen(
      createEngineDormouse({
        temporal: { address: `127.0.0.1:${await closedPort()}` },
        postgresUrl: stack.postgres.url,
        timeoutMs: 2_000,
        requestTimeoutMs: 300,
      }),
    );
    const id = unknownId();
    for (const [action, body] of [
      ['enrol', {}],
      ['hold', { actor, reason: 'leave', until: tomorrow() }],
      ['retry-parked', { actor }],
    ] as const) {
      const answer = await post(on(id, action), body, { base: away });
      expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect((await post('/v1/activity', { identityId: id }, { base: away })).status).toBe(202);
    expect((await send('GET', on(id, 'standing'), undefined, { base: away })).status).toBe(404);
    expect((await send('GET', '/healthz', undefined, { base: away })).status).toBe(200);
  });

  it('both away: 503 for signs of life and standing', async () => {
    const dead = await closedPort();
    const away = await listen(
      createEngineDormouse({
        temporal: { address: `127.0.0.1:${dead}` },
        postgresUrl: `postgres://someone:hidden@127.0.0.1:${dead}/none`,
        timeoutMs: 300,
      }),
    );
    const answers = [
      await post('/v1/activity', { identityId: unknownId() }, { base: away }),
      await send('GET', on(unknownId(), 'standing'), undefined, { base: away }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.text).not.toMatch(/hidden|ECONNREFUSED|127\.0\.0\.1/);
    }
  });

  it('an unforeseen error: 500 without internal details', async () => {
    const real = createEngineDormouse({ temporal: stack.temporal, postgresUrl: stack.postgres.url });
    const broken: EngineDormouse = {
      ...real,
      close: () => real.close(),
      recordActivity: () => Promise.reject(new TypeError('relation "secret_table" at /srv/app.ts:17')),
      standing: () => {
        throw Object.assign(new Error('password=hidden'), { statusCode: 512 });
      },
    };
    const base = await listen(broken);
    for (const answer of [
      await post('/v1/activity', { identityId: unknownId() }, { base }),
      await send('GET', on(unknownId(), 'standing'), undefined, { base }),
    ]) {
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({ error: 'server_error', message: expect.any(String) });
      expect(answer.text).not.toMatch(/secret|hidden|\.ts|TypeError|stack/);
    }
  });
});

describe('whether somebody exists', () => {
  /** The gateway's queries for one identity, and its answer. */
  async function askedAndAnswered(base: string, identityId: string, contentType: string) {
    const asked: string[] = [];
    const { query } = pg.Pool.prototype;
    const spy = vi.spyOn(pg.Pool.prototype, 'query').mockImplementation(function (
      this: pg.Pool,
      ...given: unknown[]
    ) {
      const statement = String(given[0]);
      // Marks depend on the time and on the identity that was recorded last.
      const isMark = statement.includes('INTO activity_mark');
      if (!isMark && JSON.stringify(given[1] ?? []).includes(identityId)) asked.push(statement);
      return Reflect.apply(query, this, given);
    });
    try {
      const { status, headers, text } = await send('POST', '/v1/activity', JSON.stringify({ identityId }), {
        base,
        headers: { 'content-type': contentType },
      });
      await eventually('the claim to be closed', async () => asked.length >= 2);
      return { status, headers: [...headers].filter(([name]) => name !== 'date'), text, asked };
    } finally {
      spy.mockRestore();
    }
  }

  async function hasEnded(id: string): Promise<boolean> {
    const connection = await Connection.connect({ address: stack.temporal.address });
    const client = new Client({ connection, namespace: stack.temporal.namespace });
    const { status } = await client.workflow.getHandle(lifecycleWorkflowId(id)).describe();
    await connection.close();
    return status.name === 'COMPLETED';
  }

  async function deleted(): Promise<string> {
    const policy = await publish(
      pool,
      `id: ${fresh('delete')}
allowShortDurations: true
ladder:
  delete: { after: 2s, notices: [1s], noticeFloor: 1s }
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } } }
recheck: 2s
retry: { attempts: 3, firstAfter: 1s, longestAfter: 1s }
`,
    );
    const { id } = await people.create('gateway');
    expect((await post(on(id, 'enrol'), { policyId: policy.id })).status).toBeLessThan(300);
    await eventually('the tombstone', () => isBuried(pool, id));
    // The lifecycle's own writes at its end must not be taken for the gateway's.
    await eventually('the end of the lifecycle', () => hasEnded(id));
    return id;
  }

  it.each([
    'application/json',
    'application/x-ndjson',
  ])('does not show in the answer to an event, nor in the queries for it (%s)', async (contentType) => {
    // Nobody works on this queue: every statement is the gateway's own.
    const base = await listen(
      createEngineDormouse({
        temporal: stack.temporal,
        postgresUrl: stack.postgres.url,
        taskQueue: fresh('nobody'),
        timeoutMs: 30_000,
      }),
    );
    const unknown = await askedAndAnswered(base, unknownId(), contentType);
    const neverEnrolled = await askedAndAnswered(base, (await people.create('gateway')).id, contentType);
    const gone = await askedAndAnswered(base, await deleted(), contentType);
    expect(unknown.status).toBe(202);
    expect(unknown.asked).toHaveLength(2);
    expect(neverEnrolled).toEqual(unknown);
    expect(gone).toEqual(unknown);
  });
});
