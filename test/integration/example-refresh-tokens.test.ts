/** The example API against the real stack: sign-in, access token, rotation, reuse, and the end of all access. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { loadExample, type RefreshTokensExample } from '../support/examples.js';
import { RefreshServices } from '../support/refresh-services.js';

const people = new OryPeople(inject('stack'));
let services: RefreshServices;
let app: FastifyInstance;
beforeAll(async () => {
  services = await RefreshServices.begin();
  const { postgresUrl, key } = services.optionsOf();
  const { createExample } = await loadExample<RefreshTokensExample>('refresh-tokens');
  app = await createExample({
    ...{ postgresUrl, key, clock: () => services.now },
    kratosPublicUrl: inject('stack').kratos.publicUrl,
    signingKey: randomBytes(32),
  });
});
afterAll(async () => {
  await app?.close();
  await services.close();
});

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}
const bearer = ({ accessToken }: Tokens) => ({ authorization: `Bearer ${accessToken}` });
const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });
const exchange = ({ refreshToken }: Tokens) => post('/refresh-tokens/exchange', { refreshToken });
const me = (tokens: Tokens) => app.inject({ url: '/me', headers: bearer(tokens) });

async function signIn() {
  const { id, identifier, password } = await people.create('example');
  const answer = await post('/login', { identifier, password, device: 'My phone' });
  expect(answer.statusCode).toBe(200);
  return { id, tokens: answer.json<Tokens>() };
}

it('a person signs in, stays signed in by rotation, and is listed with their device', async () => {
  const { id, tokens } = await signIn();
  expect((await me(tokens)).json()).toEqual({ id });
  services.now += 300_000;
  expect((await me(tokens)).statusCode).toBe(401);
  const next = (await exchange(tokens)).json<Tokens>();
  expect((await me(next)).json()).toEqual({ id });
  const list = await app.inject({ url: '/refresh-tokens', headers: bearer(next) });
  expect(list.json().families).toMatchObject([{ deviceName: 'My phone', current: true }]);
});

it('a copied token that is used later ends the access of both', async () => {
  const { tokens } = await signIn();
  const next = (await exchange(tokens)).json<Tokens>();
  services.now += 60_000;
  expect((await exchange(tokens)).statusCode).toBe(401);
  expect((await exchange(next)).statusCode).toBe(401);
});

it('a native app ends all access', async () => {
  const { tokens } = await signIn();
  const ended = await app.inject({
    method: 'POST',
    url: '/refresh-tokens/revoke-all',
    headers: bearer(tokens),
  });
  expect(ended.statusCode).toBe(204);
  expect((await exchange(tokens)).statusCode).toBe(401);
});

it('a wrong password gets no token', async () => {
  const { identifier } = await people.create('example');
  expect((await post('/login', { identifier, password: 'wrong' })).statusCode).toBe(401);
});
