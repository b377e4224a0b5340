/** The API of the example of inactive tokens against the real stack. Its page: browser-tokens.test.ts. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { type Example, type InactiveTokensExample, loadExample } from '../support/examples.js';
import { minute, TokenApps } from '../support/token-apps.js';

const people = new OryPeople(inject('stack'));
let apps: TokenApps;
let example: Example<InactiveTokensExample>;
const open: FastifyInstance[] = [];
beforeAll(async () => {
  apps = await TokenApps.begin();
  example = await loadExample('inactive-tokens');
});
afterAll(async () => {
  for (const app of open) await app.close();
  await apps.close();
});

async function start(sliding = false) {
  const app = await example.createExample({
    ...{
      postgresUrl: apps.database.appUrl,
      clock: apps.now,
      staleMs: 20_000,
      secret: randomBytes(32),
      sliding,
    },
    kratosPublicUrl: inject('stack').kratos.publicUrl,
  });
  open.push(app);
  return app;
}

describe('the API', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  async function signIn(app: Awaited<ReturnType<typeof start>>) {
    const { id, identifier, password } = await people.create('example');
    const answer = await app.inject({ method: 'POST', url: '/login', payload: { identifier, password } });
    expect(answer.statusCode).toBe(200);
    return { id, token: answer.json<{ accessToken: string }>().accessToken };
  }

  it('in the sliding mode a new token is given for a live sign-in alone, and 12 hours are the end', async () => {
    const app = await start(true);
    const { id, token } = await signIn(app);
    let current = token;
    const renew = () => app.inject({ method: 'POST', url: '/renew', headers: bearer(current) });
    for (let passed = 0; passed < 12 * 60; passed += 9) {
      const answer = await app.inject({ url: '/api/me', headers: bearer(current) });
      expect(answer.json()).toEqual({ id });
      const renewed = await renew();
      expect(renewed.statusCode).toBe(200);
      current = renewed.json<{ accessToken: string }>().accessToken;
      apps.aheadMs += 9 * minute;
    }
    expect((await app.inject({ url: '/api/me', headers: bearer(current) })).statusCode).toBe(200);
    expect((await renew()).statusCode).toBe(401);
  });

  it('to renew is no use: a page alone keeps nobody signed in', async () => {
    const app = await start(true);
    let { token } = await signIn(app);
    expect((await app.inject({ url: '/api/me', headers: bearer(token) })).statusCode).toBe(200);
    for (const passed of [4, 8]) {
      apps.aheadMs += 4 * minute;
      const renewed = await app.inject({ method: 'POST', url: '/renew', headers: bearer(token) });
      expect([passed, renewed.statusCode]).toEqual([passed, 200]);
      token = renewed.json<{ accessToken: string }>().accessToken;
    }
    apps.aheadMs += 2 * minute;
    const refused = await app.inject({ method: 'POST', url: '/renew', headers: bearer(token) });
    expect([refused.statusCode, refused.json()]).toMatchObject([401, { end: 'idle' }]);
  });

  it('a wrong password gets no token', async () => {
    const app = await start();
    const { identifier } = await people.create('example');
    const answer = await app.inject({
      method: 'POST',
      url: '/login',
      payload: { identifier, password: 'wrong' },
    });
    expect(answer.statusCode).toBe(401);
  });
});
