/** The routes of refresh tokens in Express, over real HTTP. What each route answers is in refresh-routes.test.ts: it is the same table. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RefreshTokens, refreshTokenRoutes } from '../../src/middleware/refresh-tokens/express.js';
import { begin, RefreshServices } from '../support/refresh-services.js';

let services: RefreshServices;
let tokens: RefreshTokens;
let base: string;
let close: () => Promise<unknown>;
let isMinting = true;
const errors: unknown[] = [];

beforeAll(async () => {
  services = await RefreshServices.begin();
  tokens = services.service();
  const routes = refreshTokenRoutes(tokens, {
    identify: ({ headers: { 'x-who': who } }) => (typeof who === 'string' ? { identityId: who } : undefined),
    mint: ({ identityId }) => {
      if (!isMinting) throw new Error('no signing key');
      return { accessToken: `for ${identityId}` };
    },
    onError: (error) => errors.push(error),
  });
  const app = express();
  app.use('/raw', routes);
  app.use('/parsed', express.json(), routes);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
});
beforeEach(() => {
  services.now = begin;
});
afterAll(async () => {
  await close();
  await services.close();
});

const post = (path: string, body?: string, headers: Record<string, string> = {}) =>
  fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
const own = (who: string) => ({ 'x-who': who, 'x-dormouse-request': '1', origin: base });

describe.each(['/raw', '/parsed'])('below %s', (mount) => {
  it('a token is exchanged, with the address of the socket, and one that is spent is answered 401', async () => {
    const { refreshToken, identityId, familyId } = await services.signIn(tokens);
    const body = JSON.stringify({ refreshToken });
    const answer = await post(`${mount}/exchange`, body, { 'x-forwarded-for': '198.51.100.7' });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await answer.json()).toEqual({
      accessToken: `for ${identityId}`,
      refreshToken: expect.stringMatching(/^dmr_/),
    });
    expect(await services.row(familyId)).toMatchObject({ last_address: '127.0.0.1' });
    services.now += 3_600_000;
    expect((await post(`${mount}/exchange`, body)).status).toBe(401);
  });

  it('a person lists and revokes their families, and a page of another origin does not', async () => {
    const { identityId, familyId } = await services.signIn(tokens);
    const listed = await fetch(`${base}${mount}?page=1`, { headers: { 'x-who': identityId } });
    expect(await listed.json()).toMatchObject({ families: [{ id: familyId, current: false }] });
    const revokeBy = (headers: Record<string, string>) =>
      fetch(`${base}${mount}/${familyId}/`, { method: 'DELETE', headers });
    const foreign = await revokeBy({ ...own(identityId), origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    expect((await revokeBy({ 'x-dormouse-request': '1', origin: base })).status).toBe(401);
    expect((await revokeBy(own(identityId))).status).toBe(204);
    expect(await services.row(familyId)).toMatchObject({ ended_why: 'by_person' });
  });

  it('a failed minting is answered 503 and told, and the token works afterwards', async () => {
    const { refreshToken } = await services.signIn(tokens);
    const body = JSON.stringify({ refreshToken });
    errors.length = 0;
    isMinting = false;
    const failed = await post(`${mount}/exchange`, body);
    isMinting = true;
    expect([failed.status, failed.headers.get('retry-after'), errors.length]).toEqual([503, '5', 1]);
    services.now += 3_600_000;
    expect((await post(`${mount}/exchange`, body)).status).toBe(200);
  });
});

describe('a body', () => {
  it.each<[string, string | undefined, number]>([
    ['that is missing', undefined, 400],
    ['that is no JSON', '{', 400],
    ['with a field twice', '{"refreshToken":"a","refreshToken":"b"}', 400],
    ['that is too large', JSON.stringify({ refreshToken: 'x'.repeat(2_000) }), 413],
  ])('%s is answered by status', async (_what, body, status) => {
    expect((await post('/raw/exchange', body)).status).toBe(status);
  });

  it('for a route that is none is answered 404', async () => {
    expect((await post('/raw/nowhere', '{}', own(randomUUID()))).status).toBe(404);
  });
});
