/** What is taken in of Kratos' answer about a session. Kratos itself is asked in test/integration. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { judge } from '../../src/domain/sessions/verdict.js';
import { createWhoami, WhoamiError } from '../../src/ory/whoami.js';
import { type Served, serve } from './support.js';

const hour = 3_600_000;
const start = Date.parse('2026-03-02T09:00:00Z');
const at = (ms: number) => new Date(start + ms).toISOString();
const session = {
  id: randomUUID(),
  active: true,
  authenticated_at: at(0),
  authenticator_assurance_level: 'aal1',
  identity: {
    id: randomUUID(),
    state: 'active',
    traits: { role: 'clerk' },
    metadata_public: { roles: ['admin'] },
  },
};

let served: Served | undefined;
afterEach(() => served?.close());

async function ask(body: unknown, status = 200) {
  served = await serve((server) =>
    server.on('request', (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    }),
  );
  return createWhoami(served.url, 5_000)({ xSessionToken: 'x' }, AbortSignal.timeout(5_000));
}

it('a second factor at hour 20 of 24 leaves four hours', async () => {
  const known = await ask({
    ...session,
    // Kratos moves it with every factor.
    authenticated_at: at(20 * hour),
    authenticator_assurance_level: 'aal2',
    authentication_methods: [
      { method: 'password', aal: 'aal1', completed_at: at(0) },
      { method: 'totp', aal: 'aal2', completed_at: at(20 * hour) },
    ],
  });
  expect(known).toMatchObject({ authenticatedAt: start, latestAt: start + 20 * hour, assurance: 'aal2' });
  const limits = { idleMs: hour, idleRule: 'idle', absoluteMs: 24 * hour, absoluteRule: 'absolute' };
  const now = start + 20 * hour;
  expect(
    judge({ authenticatedAt: known?.authenticatedAt ?? 0, lastActiveAt: now }, limits, now),
  ).toMatchObject({
    absoluteEndsAt: now + 4 * hour,
  });
});

it('a first factor that is completed again starts the absolute limit anew', async () => {
  const methods = [0, 20 * hour].map((ms) => ({ method: 'password', aal: 'aal1', completed_at: at(ms) }));
  const known = await ask({ ...session, authentication_methods: methods });
  expect(known).toMatchObject({ authenticatedAt: start + 20 * hour, roles: ['clerk', 'admin'] });
});

it.each<[string, unknown]>([
  ['inactive', { ...session, active: false }],
  ['of a disabled identity', { ...session, identity: { ...session.identity, state: 'inactive' } }],
  ['without an identity', { ...session, identity: undefined }],
])('a session %s is none', async (_what, body) => {
  expect(await ask(body)).toBeUndefined();
});

it.each<[string, unknown]>([
  ['null', 'null'],
  ['a page', '<h1>hello</h1>'],
  ['another object', { ok: true }],
])('an answer that is %s decides nothing', async (_what, body) => {
  await expect(ask(body)).rejects.toThrow(WhoamiError);
});

it.each([401, 403])('%i means no session', async (status) => {
  expect(await ask({}, status)).toBeUndefined();
});

it.each([302, 404, 429, 500, 502])('%i decides nothing', async (status) => {
  await expect(ask({ secret: 'x' }, status)).rejects.toThrow(WhoamiError);
});

it('fields that are not understood are left out, and the session stays', async () => {
  const odd = {
    ...session,
    ...{
      expires_at: 'never',
      devices: 'none',
      authentication_methods: 7,
      authenticator_assurance_level: 'aal9',
    },
    identity: { ...session.identity, traits: { role: 5 }, metadata_public: null },
  };
  expect(await ask(odd)).toEqual({
    identityId: session.identity.id,
    sessionId: session.id,
    authenticatedAt: start,
    latestAt: start,
    roles: [],
  });
});
