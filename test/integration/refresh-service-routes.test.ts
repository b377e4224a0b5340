/** The token service of refresh tokens at the gateway, as an app in another language calls it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { begin, RefreshServices, requestFrom } from '../support/refresh-services.js';

let services: RefreshServices;
let tokens: RefreshTokens;
let gateway: TestGateway;
beforeAll(async () => {
  services = await RefreshServices.begin();
  tokens = services.service();
  gateway = await listenGateway({ stack: inject('stack'), more: { refreshTokens: tokens } });
});
beforeEach(() => {
  services.now = begin;
});
afterAll(async () => {
  await gateway.close();
  await services.close();
});

const routes = [
  ['POST', '/v1/refresh-tokens'],
  ['POST', '/v1/refresh-tokens/exchange'],
  ['POST', '/v1/refresh-tokens/sign-out'],
  ['GET', `/v1/identities/${randomUUID()}/refresh-tokens`],
  ['DELETE', `/v1/identities/${randomUUID()}/refresh-tokens/${randomUUID()}`],
  ['POST', `/v1/identities/${randomUUID()}/refresh-tokens/revoke`],
  ['POST', `/v1/identities/${randomUUID()}/refresh-tokens/password-reset`],
] as const;

async function ask(
  method: string,
  path: string,
  body?: unknown,
  authorization = `Bearer ${gateway.tokens[0]}`,
) {
  const answer = await fetch(new URL(path, gateway.url), {
    method,
    headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as any };
}

const origin = { address: '203.0.113.9', userAgent: 'Browser/1' };
async function signIn(identityId: string = randomUUID()) {
  const { body } = await ask('POST', '/v1/refresh-tokens', { identityId, clientId: 'web', ...origin });
  return { identityId, ...body } as { identityId: string; familyId: string; refreshToken: string };
}
const exchange = (refreshToken: string) =>
  ask('POST', '/v1/refresh-tokens/exchange', {
    refreshToken,
    address: '198.51.100.7',
    userAgent: 'Browser/2',
  });

describe.each(routes)('%s %s', (method, path) => {
  it('answers 401 without a service token, and to a wrong one', async () => {
    const body = method === 'POST' ? {} : undefined;
    for (const authorization of ['', 'Bearer guess', `Basic ${gateway.tokens[0]}`]) {
      expect((await ask(method, path, body, authorization)).status).toBe(401);
    }
  });
});

describe('a family', () => {
  it('is started and exchanged as by the client, with the addresses that the app tells', async () => {
    const { identityId, familyId, refreshToken } = await signIn();
    expect(await services.row(familyId)).toMatchObject({
      first_address: '203.0.113.9',
      user_agent: 'Browser/1',
    });
    services.now += 60_000;
    const { status, body } = await exchange(refreshToken);
    expect([status, body]).toEqual([
      200,
      {
        ...{ granted: true, identityId, familyId, clientId: 'web' },
        ...{ signedInAt: new Date(begin).toISOString(), issuedAt: new Date(begin + 60_000).toISOString() },
        refreshToken: expect.stringMatching(/^dmr_/),
      },
    ]);
    expect(await services.row(familyId)).toMatchObject({
      last_address: '198.51.100.7',
      user_agent: 'Browser/2',
    });
    expect(
      await tokens.exchange(body.refreshToken, requestFrom('203.0.113.9'), () => 'minted'),
    ).toMatchObject({
      granted: true,
    });
  });

  it('of twenty exchanges at once lives on in one line, and ends by a reuse after the grace', async () => {
    const { familyId, refreshToken } = await signIn();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => exchange(refreshToken)));
    expect(new Set(outcomes.map(({ body }) => body.refreshToken)).size).toBe(1);
    expect(await services.row(familyId)).toMatchObject({ generation: 1, ended_at: null });
    services.now += 10_000;
    expect((await exchange(refreshToken)).body).toEqual({ granted: false, why: 'reuse' });
    expect(await services.row(familyId)).toMatchObject({ ended_why: 'reuse' });
  });

  it('ends by a sign-out; a token that is none ends nothing, with the same answer', async () => {
    const { familyId, refreshToken } = await signIn();
    const signOut = (token: string) => ask('POST', '/v1/refresh-tokens/sign-out', { refreshToken: token });
    expect((await signOut(`${refreshToken.slice(0, -4)}AAAA`)).status).toBe(204);
    expect(await services.row(familyId)).toMatchObject({ ended_at: null });
    expect((await signOut(refreshToken)).status).toBe(204);
    expect((await exchange(refreshToken)).body).toEqual({ granted: false, why: 'ended' });
  });

  it('is not started for an owner who is deactivated', async () => {
    const identityId = randomUUID();
    await services.pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
       VALUES ($1, 'deactivated', $2, $2, '{}', 0, $2)`,
      [identityId, new Date(begin)],
    );
    const answer = await ask('POST', '/v1/refresh-tokens', { identityId, clientId: 'web' });
    expect([answer.status, answer.body]).toEqual([200, { granted: false, why: 'account' }]);
  });
});

describe('the families of a person', () => {
  it('are listed without tokens, and end one, all but one, or all', async () => {
    const identityId = randomUUID();
    const [one, other, third] = [
      await signIn(identityId),
      await signIn(identityId),
      await signIn(identityId),
    ];
    const stranger = await signIn();
    const own = `/v1/identities/${identityId}/refresh-tokens`;
    const live = async () =>
      (await ask('GET', own)).body.families
        .filter(({ ended }: { ended?: object }) => ended === undefined)
        .map(({ id }: { id: string }) => id)
        .sort();
    expect(await live()).toEqual([one.familyId, other.familyId, third.familyId].sort());
    expect(JSON.stringify((await ask('GET', own)).body)).not.toContain('dmr_');
    expect((await ask('DELETE', `${own}/${stranger.familyId}`)).status).toBe(404);
    expect((await ask('DELETE', `${own}/${one.familyId}`)).status).toBe(204);
    expect((await ask('DELETE', `${own}/${one.familyId}`)).status).toBe(404);
    expect((await ask('POST', `${own}/revoke`, { keep: other.familyId })).body).toEqual({ ended: 1 });
    expect(await live()).toEqual([other.familyId]);
    expect((await ask('POST', `${own}/revoke`)).body).toEqual({ ended: 1 });
    await signIn(identityId);
    expect((await ask('POST', `${own}/password-reset`, {})).body).toEqual({ ended: 1 });
    expect((await exchange(stranger.refreshToken)).body).toMatchObject({ granted: true });
  });
});

describe('a request', () => {
  const id = randomUUID();
  it.each<[string, string, unknown, number]>([
    ['for no identity', '/v1/refresh-tokens', { identityId: 'jane', clientId: 'web' }, 400],
    [
      'with a client that is an address',
      '/v1/refresh-tokens',
      { identityId: id, clientId: 'a@example.org' },
      400,
    ],
    [
      'with an address that is none',
      '/v1/refresh-tokens',
      { identityId: id, clientId: 'web', address: 'home' },
      400,
    ],
    [
      'with a device name of controls',
      '/v1/refresh-tokens',
      { identityId: id, clientId: 'web', deviceName: 'a\u0000b' },
      400,
    ],
    [
      'with a sign-in in seconds',
      '/v1/refresh-tokens',
      { identityId: id, clientId: 'web', authenticatedAt: '1970-01-20T00:00:00Z' },
      400,
    ],
    [
      'with a field that is none',
      '/v1/refresh-tokens/exchange',
      { refreshToken: 'x', ip: '203.0.113.9' },
      400,
    ],
    ['with a field twice', '/v1/refresh-tokens/exchange', '{"refreshToken":"a","refreshToken":"b"}', 400],
    ['to keep what is no family', `/v1/identities/${id}/refresh-tokens/revoke`, { keep: 'this one' }, 400],
    ['that is too large', '/v1/refresh-tokens/exchange', { refreshToken: 'x'.repeat(5_000) }, 413],
  ])('%s is answered by status', async (_what, path, body, status) => {
    const answer = await ask('POST', path, body);
    expect(answer).toMatchObject({
      status,
      body: { error: expect.any(String), message: expect.any(String) },
    });
    expect(answer.body.message).not.toContain('example.org');
  });

  it('that PostgreSQL can’t answer is answered 503, and the token works afterwards', async () => {
    const { refreshToken } = await signIn();
    await services.pool.query('ALTER TABLE refresh_family RENAME TO away');
    const failed = await exchange(refreshToken);
    await services.pool.query('ALTER TABLE away RENAME TO refresh_family');
    expect([failed.status, failed.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect((await exchange(refreshToken)).body).toMatchObject({ granted: true });
  });
});
