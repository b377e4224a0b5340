import { randomUUID } from 'node:crypto';
import express from 'express';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { dormouseActivity as expressActivity } from '../../src/middleware/express.js';
import { dormouseActivity as fastifyActivity } from '../../src/middleware/fastify.js';
import type { ActivityCounters, ActivityOptions } from '../../src/middleware/options.js';
import { noteTaker, portOf } from '../middleware/support.js';
import { startSilentServer } from '../support/fault-tcp.js';
import { until } from '../support/until.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const kratos = { publicUrl: stack.kratos.publicUrl };
const tokens = { introspection: { hydraAdminUrl: stack.hydra.adminUrl } };

type Options = Omit<ActivityOptions<never>, 'dormouse' | 'identify' | 'ignore'>;

interface App {
  readonly dormouse: ReturnType<typeof noteTaker>;
  counters(): ActivityCounters;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, headers: Record<string, string>, body: object): Promise<Response>;
  close(): Promise<unknown>;
}

function requests(url: string): Pick<App, 'get' | 'post'> {
  return {
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers, redirect: 'manual' }),
    post: (path, headers, body) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

async function fastifyApp(options: Options): Promise<App> {
  const dormouse = noteTaker();
  const app = Fastify();
  await app.register(fastifyActivity, { ...options, dormouse });
  app.get('/', () => ({ hello: 'world' }));
  app.post('/', () => ({ hello: 'world' }));
  app.get('/forbidden', (_request, reply) => reply.code(403).send({}));
  app.get('/sign-in', (_request, reply) => reply.redirect('/', 302));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    dormouse,
    ...requests(url),
    counters: () => app.dormouseActivity.counters(),
    close: () => app.close(),
  };
}

async function expressApp(options: Options): Promise<App> {
  const dormouse = noteTaker();
  const app = express();
  const activity = expressActivity({ ...options, dormouse });
  app.use(activity);
  app.get('/', (_request, response) => void response.json({ hello: 'world' }));
  app.post('/', (_request, response) => void response.json({ hello: 'world' }));
  app.get('/forbidden', (_request, response) => void response.status(403).json({}));
  app.get('/sign-in', (_request, response) => response.redirect(302, '/'));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    dormouse,
    ...requests(`http://127.0.0.1:${portOf(server)}`),
    counters: () => activity.counters(),
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

async function signedIn() {
  const person = await people.create('middleware');
  const signIn = await people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the sign-in');
  return { person, signIn, headers: { 'x-session-token': signIn.sessionToken } };
}

const settled = (app: App, counter: keyof ActivityCounters, count = 1) =>
  until(`${counter} = ${count}`, () => app.counters()[counter] === count);

describe.each([
  ['Fastify', fastifyApp],
  ['Express', expressApp],
])('%s', (_name, start) => {
  let app: App;
  const begin = async (options: Options = { kratos, tokens }) => {
    // Mostly there is one request, so a slow answer must not time out.
    app = await start({ verifyTimeoutMs: 20_000, ...options });
  };
  const end = () => app.close();

  test('a session of Kratos counts as human', async () => {
    await begin();
    const { person, headers } = await signedIn();
    expect((await app.get('/', headers)).status).toBe(200);
    await settled(app, 'noted');
    expect(app.dormouse.noted).toMatchObject([{ identityId: person.id, kind: 'human', source: 'web' }]);
    await end();
  });

  test('a refusal, a redirect, and background polling do not count', async () => {
    await begin();
    const { headers } = await signedIn();
    await app.get('/forbidden', headers);
    await app.get('/sign-in', headers);
    await app.get('/', { ...headers, 'x-dormouse-background': '1' });
    await settled(app, 'ignored', 3);
    expect(app.dormouse.noted).toEqual([]);
    await end();
  });

  test('a revoked session, and one of a disabled identity, count nothing', async () => {
    await begin();
    const revoked = await signedIn();
    await people.identities.deleteIdentitySessions({ id: revoked.person.id });
    const disabled = await signedIn();
    await people.identities.patchIdentity({
      id: disabled.person.id,
      jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
    });
    for (const { headers } of [revoked, disabled]) await app.get('/', headers);
    await settled(app, 'anonymous', 2);
    expect(app.dormouse.noted).toEqual([]);
    await end();
  });

  test('an identity named in headers or body does not count', async () => {
    await begin();
    const { person } = await signedIn();
    const forged = { 'x-user-id': person.id, 'x-kratos-authenticated-identity-id': person.id };
    await app.post('/', forged, { identityId: person.id, session: { identity: { id: person.id } } });
    await app.get('/', { ...forged, 'x-session-token': 'forged' });
    await app.get('/', { ...forged, cookie: `ory_kratos_session=${person.id}` });
    await app.get('/', { authorization: `Bearer ${person.id}` });
    await settled(app, 'anonymous', 4);
    expect(app.dormouse.noted).toEqual([]);
    await end();
  });

  test('an access token counts as token; a refresh token and a revoked one count nothing', async () => {
    await begin();
    const person = await people.create('middleware');
    const { accessToken, refreshToken } = await people.authorize(person);
    await app.get('/', { authorization: `Bearer ${accessToken}` });
    await settled(app, 'noted');
    expect(app.dormouse.noted).toMatchObject([{ identityId: person.id, kind: 'token' }]);
    await app.get('/', { authorization: `Bearer ${refreshToken}` });
    await settled(app, 'anonymous', 1);
    await people.oauth2.revokeOAuth2ConsentSessions({ subject: person.id, all: true });
    const fresh = await start({ kratos, tokens });
    await fresh.get('/', { authorization: `Bearer ${accessToken}` });
    await settled(fresh, 'anonymous');
    expect(fresh.dormouse.noted).toEqual([]);
    await fresh.close();
    await end();
  });

  test('a program’s own token counts for nobody, even if its client id looks like an identity', async () => {
    await begin();
    await app.get('/', { authorization: `Bearer ${await clientToken()}` });
    await settled(app, 'anonymous');
    expect(app.dormouse.noted).toEqual([]);
    await end();
  });

  test('with a Kratos that never answers the app answers all the same', async () => {
    const silent = await startSilentServer();
    await begin({ kratos: { publicUrl: `http://127.0.0.1:${silent.port}` }, verifyTimeoutMs: 60_000 });
    // Were the answer to wait for Kratos, the test would run out of time.
    expect((await app.get('/', { 'x-session-token': 'x' })).status).toBe(200);
    expect(app.counters()).toMatchObject({ noted: 0, failed: 0 });
    await silent.close();
    await settled(app, 'failed');
    await end();
  });

  test('with Kratos away it answers, and counts the failure', async () => {
    await begin({ kratos: { publicUrl: 'http://127.0.0.1:1' } });
    expect((await app.get('/', { 'x-session-token': 'x' })).status).toBe(200);
    await settled(app, 'failed');
    await end();
  });
});

describe('a browser’s cookie', () => {
  let app: App;
  beforeAll(async () => {
    app = await fastifyApp({ kratos });
  });
  afterAll(() => app.close());

  test('counts as human, among the app’s own cookies', async () => {
    const person = await people.create('middleware');
    const cookie = await browserSignIn(person);
    await app.get('/', { cookie: `basket=1; ${cookie}; theme=dark` });
    await settled(app, 'noted');
    expect(app.dormouse.noted).toMatchObject([{ identityId: person.id, kind: 'human' }]);
  });
});

/** Signs in as a browser does. @returns the session cookie as `name=value` */
async function browserSignIn(person: { identifier: string; password: string }): Promise<string> {
  const opened = await fetch(`${kratos.publicUrl}/self-service/login/browser`, {
    headers: { accept: 'application/json' },
  });
  const cookie = opened.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
  const flow: { ui: { action: string; nodes: { attributes: { name?: string; value?: string } }[] } } =
    await opened.json().then((body) => body as never);
  const csrf = flow.ui.nodes.find(({ attributes }) => attributes.name === 'csrf_token')?.attributes.value;
  const answered = await fetch(flow.ui.action, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', cookie },
    body: JSON.stringify({
      method: 'password',
      identifier: person.identifier,
      password: person.password,
      csrf_token: csrf,
    }),
  });
  const pair = answered.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0] ?? '')
    .find((line) => line.startsWith('ory_kratos_session'));
  if (pair === undefined) throw new Error(`Kratos answered ${answered.status} without a session cookie`);
  return pair;
}

/** A token of the client-credentials grant. */
async function clientToken(): Promise<string> {
  const secret = randomUUID();
  const { data } = await people.oauth2.createOAuth2Client({
    oAuth2Client: {
      client_name: 'a program',
      client_secret: secret,
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  });
  const answer = await fetch(new URL('/oauth2/token', stack.hydra.publicUrl), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: data.client_id ?? '',
      client_secret: secret,
    }),
  });
  const body: { access_token?: string } = await answer.json().then((json) => json as never);
  if (body.access_token === undefined) throw new Error(`Hydra answered ${answer.status} without a token`);
  return body.access_token;
}
