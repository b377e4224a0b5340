/** Every known way to forge a sign of life, tried against the real gateway. */
import { gzipSync } from 'node:zlib';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { signEvent } from '../../src/signs/http/event-signature.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { fresh, unknownId } from '../support/system-outside.js';

const stack = inject('stack');
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await listenGateway({ stack, more: { rateLimits: { refusedPerMinute: 10_000 } } });
});
afterAll(() => gateway.close());

type Headers = Record<string, string>;

async function send(path: string, body: string | Buffer, headers: Headers = {}) {
  const answer = await fetch(new URL(path, gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
const hookKey = (key: string): Headers => ({ 'x-dormouse-hook-key': key });
const event = (id: string, more: object = {}) => JSON.stringify({ identityId: id, ...more });
const nowSeconds = (offset = 0) => String(Math.floor(Date.now() / 1_000) + offset);

function signed(
  body: string,
  more: { secret?: string; timestamp?: string; signature?: string } = {},
): Headers {
  const timestamp = more.timestamp ?? nowSeconds();
  const signature = more.signature ?? signEvent(more.secret ?? gateway.secrets[0], timestamp, body);
  return { 'x-dormouse-timestamp': timestamp, 'x-dormouse-signature': signature };
}

const nobodySeen = async (id: string) => expect(await readSigns(gateway.pool, id)).toEqual({});

const hydraBody = (subject: string) =>
  JSON.stringify({
    session: { id_token: { subject, id_token_claims: { auth_time: new Date().toISOString() } } },
    request: { client_id: 'app', grant_types: ['refresh_token'] },
  });

describe('credentials', () => {
  type Hook = keyof TestGateway['hookKeys'];
  const entrances: [string, (id: string) => string, Hook?][] = [
    ['/v1/activity', (id) => event(id)],
    ['/v1/hooks/kratos', (id) => JSON.stringify({ identity_id: id, flow: 'login' }), 'kratos'],
    ['/v1/hooks/kratos/registration', () => JSON.stringify({ identifiers: [] }), 'kratos'],
    ['/v1/hooks/hydra/token', hydraBody, 'hydra'],
    ['/v1/mail/bounces', () => JSON.stringify({ messageId: 'x', kind: 'hard' }), 'mail'],
  ];

  it.each(
    entrances,
  )('%s: none, wrong, cut, doubled, or one of another entrance', async (path, bodyOf, hook) => {
    const id = unknownId();
    const [token, key, secret] = [
      gateway.tokens[0],
      gateway.hookKeys[hook ?? 'kratos'][0],
      gateway.secrets[0],
    ];
    const keysOfOthers = Object.entries(gateway.hookKeys).flatMap(([name, keys]) =>
      name === hook ? [] : keys,
    );
    const forged: Headers[] = [
      {},
      bearer(fresh('guess')),
      hookKey(fresh('guess')),
      bearer(token.slice(0, -1)),
      hookKey(`${key}, ${key}`),
      bearer(secret),
      hookKey(secret),
      { 'x-identity-id': id, 'x-user-id': id, 'x-forwarded-user': id },
      { cookie: `x-dormouse-hook-key=${key}` },
      hookKey(token),
      bearer(key),
      ...keysOfOthers.map(hookKey),
      // A mail system that speaks HTTP of its own may be an app with a service token.
      ...(hook === undefined || hook === 'mail' ? [] : [bearer(token)]),
      ...(hook === undefined ? [] : [signed(bodyOf(id))]),
    ];
    for (const headers of forged) {
      const answer = await send(path, bodyOf(id), headers);
      expect(answer.status).toBe(401);
      for (const hidden of [token, key, secret]) expect(answer.text).not.toContain(hidden);
    }
    await nobodySeen(id);
  });

  it('each of two values is taken, at every entrance', async () => {
    for (const token of gateway.tokens)
      expect((await send('/v1/activity', event(unknownId()), bearer(token))).status).toBe(202);
    for (const key of gateway.hookKeys.kratos) {
      const body = JSON.stringify({ identity_id: unknownId(), flow: 'login' });
      expect((await send('/v1/hooks/kratos', body, hookKey(key))).status).toBe(202);
    }
    for (const secret of gateway.secrets) {
      const body = event(unknownId());
      expect((await send('/v1/activity', body, signed(body, { secret }))).status).toBe(202);
    }
  });
});

describe('signatures', () => {
  it('an old, early or malformed one, and one of another body, secret or version, are refused', async () => {
    const id = unknownId();
    const body = event(id);
    const valid = signed(body);
    const hex = (valid['x-dormouse-signature'] ?? '').slice(3);
    const forged: Headers[] = [
      signed(body, { timestamp: nowSeconds(-302) }),
      signed(body, { timestamp: nowSeconds(302) }),
      signed(event(unknownId())),
      signed(body, { secret: fresh('guess') }),
      signed(body, { secret: gateway.tokens[0] }),
      { ...valid, 'x-dormouse-signature': `v0=${hex}` },
      { ...valid, 'x-dormouse-signature': hex },
      { ...valid, 'x-dormouse-signature': `v1=${hex.slice(2)}` },
      { ...valid, 'x-dormouse-signature': 'v1=' },
      { ...valid, 'x-dormouse-signature': `v1=${hex.toUpperCase()}x` },
      { ...valid, 'x-dormouse-timestamp': nowSeconds(1) },
      { ...valid, 'x-dormouse-timestamp': '' },
      { ...valid, 'x-dormouse-timestamp': `${nowSeconds()}.0` },
      { 'x-dormouse-signature': valid['x-dormouse-signature'] ?? '' },
      { 'x-dormouse-timestamp': nowSeconds() },
    ];
    const answers = [];
    for (const headers of forged) answers.push(await send('/v1/activity', body, headers));
    expect(answers.map(({ status }) => status)).toEqual(forged.map(() => 401));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await nobodySeen(id);
  });

  it('a body that was changed on the way, even by one blank, is refused', async () => {
    const id = unknownId();
    const headers = signed(event(id));
    for (const body of [`${event(id)} `, event(id, { at: Date.now() }), event(unknownId())])
      expect((await send('/v1/activity', body, headers)).status).toBe(401);
    await nobodySeen(id);
  });

  it('a repeated copy, and a time in the future, move nothing beyond the signed time', async () => {
    const id = unknownId();
    const timestamp = nowSeconds(-100);
    const bodies = [event(id), event(id, { at: Date.now() }), event(id, { at: Date.now() + 86_400_000 })];
    for (const body of [...bodies, ...bodies]) {
      expect((await send('/v1/activity', body, signed(body, { timestamp }))).status).toBe(202);
      expect(await readSigns(gateway.pool, id)).toEqual({ human: Number(timestamp) * 1_000 });
    }
    const lines = `${bodies.join('\n')}\n`;
    const headers = { ...signed(lines, { timestamp }), 'content-type': 'application/x-ndjson' };
    expect((await send('/v1/activity', lines, headers)).status).toBe(202);
    expect(await readSigns(gateway.pool, id)).toEqual({ human: Number(timestamp) * 1_000 });
  });

  it('with a service token, the future is clamped to now', async () => {
    const id = unknownId();
    const body = event(id, { at: Date.now() + 86_400_000 });
    expect((await send('/v1/activity', body, bearer(gateway.tokens[0]))).status).toBe(202);
    expect((await readSigns(gateway.pool, id)).human).toBeLessThanOrEqual(Date.now());
  });
});

describe('signatures by Standard Webhooks', () => {
  const body = () => event(unknownId());
  /** As the package of Standard Webhooks signs; a plain secret as its bytes. */
  function webhook(
    text: string,
    more: { secret?: string; id?: string; offsetSeconds?: number } = {},
  ): Headers & { 'webhook-signature': string } {
    const { secret = gateway.secrets[0], id = 'msg_1', offsetSeconds = 0 } = more;
    const at = new Date(Date.now() + offsetSeconds * 1_000);
    const signer = secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signer.sign(id, at, text),
    };
  }
  const post = async (text: string, headers: Headers) => (await send('/v1/activity', text, headers)).status;

  it('those of the package are taken, with each of two secrets, and among others in one header', async () => {
    for (const secret of gateway.secrets) {
      const text = body();
      expect(await post(text, webhook(text, { secret }))).toBe(202);
    }
    const text = body();
    const headers = webhook(text);
    const foreign = webhook(text, { secret: fresh('another') })['webhook-signature'];
    const rotated = `v1a,${'A'.repeat(86)}== ${foreign} ${headers['webhook-signature']}`;
    expect(await post(text, { ...headers, 'webhook-signature': rotated })).toBe(202);
  });

  it('an old or early one, and one of another body, id, time, secret or version, are refused', async () => {
    const text = body();
    const valid = webhook(text);
    const { 'webhook-signature': signature } = valid;
    for (const headers of [
      webhook(text, { offsetSeconds: -302 }),
      webhook(text, { offsetSeconds: 302 }),
      webhook(body()),
      webhook(text, { secret: fresh('guess') }),
      { ...valid, 'webhook-id': 'msg_2' },
      { ...valid, 'webhook-id': '' },
      { ...valid, 'webhook-timestamp': nowSeconds(-5) },
      { ...valid, 'webhook-timestamp': `${valid['webhook-timestamp']}.0` },
      { ...valid, 'webhook-signature': signature.replace('v1,', 'v2,') },
      { ...valid, 'webhook-signature': signature.replace('v1,', 'v1=') },
      { ...valid, 'webhook-signature': signature.slice(0, -4) },
      { ...valid, 'webhook-signature': `${'v1,x '.repeat(10)}${signature}` },
      { ...valid, 'webhook-signature': '' },
      // The other form's timestamp does not stand in for a missing one.
      { 'webhook-signature': signature, 'webhook-id': 'msg_1', 'x-dormouse-timestamp': nowSeconds() },
    ]) {
      expect([headers, await post(text, headers as Headers)]).toEqual([headers, 401]);
    }
  });
});

describe('bodies', () => {
  const address = 'jane.doe@example.com';

  it.each<[string, (id: string) => string, number]>([
    ['a further field', (id) => event(id, { admin: true }), 400],
    ['an address for an id', () => event(address), 400],
    ['the nil UUID', () => event('00000000-0000-0000-0000-000000000000'), 400],
    ['a list', (id) => `[${event(id)}]`, 400],
    ['a key twice', (id) => `{"identityId":"${unknownId()}","identityId":"${id}"}`, 400],
    ['a key twice, once escaped', (id) => `{"identityId":"${unknownId()}","\\u0069dentityId":"${id}"}`, 400],
    ['__proto__', (id) => `{"identityId":"${id}","__proto__":{"kind":"human"}}`, 400],
    ['constructor', (id) => `{"identityId":"${id}","constructor":{"prototype":{}}}`, 400],
    ['a failed sign-in', (id) => event(id, { event: 'login_failed' }), 400],
    ['a failed sign-in in other letters', (id) => event(id, { event: 'Login' }), 400],
    ['an event that nobody knows', (id) => event(id, { event: 'password_guessed' }), 400],
    ['more than 16 KiB', (id) => event(id, { source: 'x'.repeat(20_000) }), 413],
  ])('%s', async (_name, bodyOf, status) => {
    const id = unknownId();
    const answer = await send('/v1/activity', bodyOf(id), bearer(gateway.tokens[0]));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_request', message: expect.any(String) });
    expect(answer.text).not.toContain('jane');
    await nobodySeen(id);
    expect(Object.hasOwn(Object.prototype, 'kind')).toBe(false);
  });

  it.each([
    ['more than our jsonnet sends', { request_headers: { cookie: 'session' } }],
    ['a time of its own', { at: 1 }],
    ['no flow that succeeds', { flow: 'login_failed' }],
    ['an address', { identity_id: address }],
  ])("Kratos' hook: %s", async (_name, more) => {
    const id = unknownId();
    const body = JSON.stringify({ identity_id: id, flow: 'login', ...more });
    const answer = await send('/v1/hooks/kratos', body, hookKey(gateway.hookKeys.kratos[0]));
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('jane');
    await nobodySeen(id);
  });

  it('a gzip bomb is not opened', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20));
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity'])
      expect(
        (await send('/v1/activity', bomb, { ...bearer(gateway.tokens[0]), 'content-encoding': encoding }))
          .status,
      ).toBe(415);
  });
});

describe('batches', () => {
  const ndjson = () => ({ ...bearer(gateway.tokens[0]), 'content-type': 'application/x-ndjson' });

  it('a bad line never spoils the others, and each is answered in its place', async () => {
    const [first, last] = [unknownId(), unknownId()];
    const lines = [
      event(first),
      '{broken',
      event('jane.doe@example.com'),
      '',
      event(unknownId(), { event: 'login_failed' }),
      `{"identityId":"${first}","identityId":"${last}"}`,
      event(unknownId(), { source: 'x'.repeat(5_000) }),
      'null',
      event(last, { kind: 'token' }),
    ];
    const answer = await send('/v1/activity', lines.join('\r\n'), ndjson());
    expect(answer.status).toBe(202);
    expect(answer.text).not.toContain('jane');
    const { results, recorded, invalid } = JSON.parse(answer.text);
    expect({ recorded, invalid }).toEqual({ recorded: 2, invalid: 6 });
    expect(results).toMatchObject(
      [
        { line: 1, outcome: 'recorded' },
        { line: 2, outcome: 'invalid', message: /^body: / },
        { line: 3, outcome: 'invalid', message: /^identityId/ },
        { line: 5, outcome: 'invalid', message: /^event: / },
        { line: 6, outcome: 'invalid', message: /twice/ },
        { line: 7, outcome: 'invalid', message: /longer/ },
        { line: 8, outcome: 'invalid', message: /^body: / },
        { line: 9, outcome: 'recorded' },
      ].map(({ message, ...rest }) => ({
        ...rest,
        ...(message ? { message: expect.stringMatching(message) } : {}),
      })),
    );
    expect(Object.keys(await readSigns(gateway.pool, last))).toEqual(['token']);
  });

  it('100,000 lines, half a megabyte of nothing, or more bytes than the limit: refused as a whole', async () => {
    for (const body of [
      '{}\n'.repeat(100_000),
      '\n'.repeat(500_000),
      `${event(unknownId())}\n`.repeat(10_000),
    ])
      expect((await send('/v1/activity', body, ndjson())).status).toBe(413);
  });
});

describe('unknown and deleted identities', () => {
  it('are answered alike, by the same calls', async () => {
    const { id: deleted } = { id: unknownId() };
    await buryIdentity(gateway.pool, deleted, undefined, Date.now());
    await gateway.pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
       VALUES ($1, 'deleted', now(), now(), '{"stage":"deleted"}', 0, now())`,
      [deleted],
    );
    const headers = bearer(gateway.tokens[0]);
    const answers = [];
    for (const id of [unknownId(), deleted]) {
      const activity = await send('/v1/activity', event(id), headers);
      const standing = await fetch(new URL(`/v1/identities/${id}/standing`, gateway.url), { headers });
      answers.push({
        activity: [activity.status, activity.text],
        standing: [standing.status, await standing.text()],
      });
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.activity[0]).toBe(202);
    expect(answers[0]?.standing[0]).toBe(404);
  });
});

describe('too often', () => {
  it('429 with Retry-After, for each credential by itself; refused ones by address', async () => {
    const strict = await listenGateway({
      stack,
      more: {
        rateLimits: { servicePerMinute: 2, hookPerMinute: 2, signedPerMinute: 2, refusedPerMinute: 3 },
      },
    });
    try {
      const post = async (headers: Headers, body = event(unknownId())) => {
        const answer = await fetch(new URL('/v1/activity', strict.url), {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        });
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        return answer.status;
      };
      const times = async (count: number, headers: Headers) => {
        const statuses: number[] = [];
        for (let time = 0; time < count; time += 1) statuses.push(await post(headers));
        return statuses;
      };
      expect(await times(4, bearer(fresh('guess')))).toEqual([401, 401, 401, 429]);
      // Guessing from an address does not block valid credentials from it.
      expect(await times(3, bearer(strict.tokens[0]))).toEqual([202, 202, 429]);
      expect(await times(3, bearer(strict.tokens[1]))).toEqual([202, 202, 429]);
    } finally {
      await strict.close();
    }
  });
});
