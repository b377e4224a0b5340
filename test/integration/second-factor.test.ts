/** Step-up with a real second factor: Kratos' TOTP, PostgreSQL and the guard. Clock and history of the session are the test's. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import type { Person, SignIn } from '../../dev/demo/ory-people.js';
import { startWire } from '../support/fault-tcp.js';
import { bodyOf, type GuardedApp, GuardedApps, hour, minute } from '../support/guarded-apps.js';
import { ageSession, openKratosDatabase } from '../support/kratos-database.js';
import { SecondFactor } from '../support/second-factor.js';

const kratosDatabase = openKratosDatabase(inject('stack'));
const factor = new SecondFactor(inject('stack').kratos.publicUrl);
let apps: GuardedApps;
beforeAll(async () => {
  apps = await GuardedApps.begin();
});
afterEach(() => apps.closeApps());
afterAll(async () => {
  await apps.close();
  await kratosDatabase.end();
});

const policy = { preset: 'nist-aal2', stepUp: { '/keys': { acr: 'aal2' } } };

/** Signs in a person with an authenticator, who has not been asked for it in this session. */
async function withAuthenticator() {
  const { person, signIn: elsewhere } = await apps.signIn();
  const secret = await factor.enrol(elsewhere);
  const signIn = await apps.people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the sign-in');
  return { person, signIn, secret, headers: { 'x-session-token': signIn.sessionToken } };
}

/** The session began 20 hours ago, and the person's last presence was 50 minutes ago. */
async function untilHour20(app: GuardedApp, signIn: SignIn, headers: Record<string, string>): Promise<void> {
  await ageSession(kratosDatabase, signIn.sessionId, 20 * hour);
  for (apps.aheadMs = -20 * hour; apps.aheadMs < 0; apps.aheadMs += 50 * minute) {
    expect((await app.send('POST', '/session/renew', headers)).status).toBe(200);
  }
  expect(apps.aheadMs).toBe(0);
}

/** An app whose way to Kratos can be frozen, and a person who is signed in. */
async function behindWire(ofApp: object) {
  const { hostname, port } = new URL(inject('stack').kratos.publicUrl);
  const wire = await startWire({ host: hostname, port: Number(port) });
  const app = await apps.fastify({
    policy: ofApp,
    kratos: { publicUrl: `http://127.0.0.1:${wire.port}` },
    verifyTimeoutMs: 2_000,
  });
  return { app, wire, ...(await withAuthenticator()) };
}

const statusOf = async (app: GuardedApp, headers: Record<string, string>) => {
  const status = await bodyOf(await app.get('/session/status', headers));
  return {
    ...{ now: Date.parse(status.now), rule: status.rule },
    ...{ idleEndsAt: Date.parse(status.idleEndsAt), absoluteEndsAt: Date.parse(status.absoluteEndsAt) },
  };
};

/** When Kratos took the latest factor of a method, epoch milliseconds. */
async function completedAt(signIn: SignIn, wanted: string): Promise<number> {
  const { authentication_methods: methods = [] } = await factor.session(signIn);
  const times = methods.filter(({ method }) => method === wanted).map(({ completed_at: at }) => at);
  return Math.max(...times.map((at) => Date.parse(at ?? '')));
}

test('a second factor at hour 20 of 24 leaves four hours, and restarts the idle time', async () => {
  const app = await apps.fastify({ policy });
  const { signIn, secret, headers } = await withAuthenticator();
  await untilHour20(app, signIn, headers);
  const beganAt = await completedAt(signIn, 'password');
  const before = await statusOf(app, headers);
  expect(before).toMatchObject({ rule: 'idle', absoluteEndsAt: beganAt + 24 * hour });
  expect(before.idleEndsAt - before.now).toBeLessThanOrEqual(10 * minute);
  const refused = await app.get('/keys', headers);
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toMatch(
    /^Bearer error="insufficient_user_authentication".*acr_values="aal2"/,
  );

  await factor.give(signIn, secret);
  expect((await app.get('/keys', headers)).status).toBe(200);

  const after = await statusOf(app, headers);
  const givenAt = await completedAt(signIn, 'totp');
  expect(after).toMatchObject({ absoluteEndsAt: beganAt + 24 * hour, idleEndsAt: givenAt + hour });
  expect(after.absoluteEndsAt - after.now).toBeLessThanOrEqual(4 * hour);
  expect(await apps.row(signIn.sessionId)).toMatchObject({
    assurance: 'aal2',
    authenticated_at: new Date(beganAt),
    last_active_at: new Date(givenAt),
  });
  // Kratos itself moves its time of the sign-in, and keeps the session.
  const session = await factor.session(signIn);
  expect(session).toMatchObject({ id: signIn.sessionId, authenticator_assurance_level: 'aal2' });
  expect(Date.parse(session.authenticated_at ?? '')).toBeGreaterThan(beganAt + 19 * hour);
  // The end comes all the same.
  apps.aheadMs = 4 * hour;
  expect(await bodyOf(await app.get('/session/status', headers))).toMatchObject({ error: 'session_ended' });
});

test.each([
  ['a second factor', (_person: Person, signIn: SignIn, secret: Buffer) => factor.give(signIn, secret)],
  ['a full sign-in', (person: Person, signIn: SignIn) => apps.people.reauthenticate(person, signIn)],
])('%s the moment before the idle end counts, though the guard asked Kratos a moment ago', async (_what, again) => {
  const app = await apps.fastify({ policy });
  const { person, signIn, secret, headers } = await withAuthenticator();
  await untilHour20(app, signIn, headers);
  const { idleEndsAt, now } = await statusOf(app, headers);
  await again(person, signIn, secret);
  apps.aheadMs = idleEndsAt - now + minute;
  expect((await app.get('/', headers)).status).toBe(200);
  expect((await statusOf(app, headers)).idleEndsAt).toBeGreaterThan(apps.now());
});

test('a session over its limit ends while Kratos is away, too', async () => {
  const { app, headers, signIn, wire } = await behindWire(policy);
  expect((await app.get('/', headers)).status).toBe(200);
  wire.freeze();
  apps.aheadMs = hour + minute;
  expect(await bodyOf(await app.get('/', headers))).toMatchObject({ error: 'session_ended', reason: 'idle' });
  expect(await apps.row(signIn.sessionId)).toMatchObject({ ended_reason: 'idle' });
  await app.close();
  await wire.close();
});

test('a full sign-in at hour 20 of 24 restarts both limits, and is no second factor', async () => {
  const app = await apps.fastify({ policy: { ...policy, stepUp: { ...policy.stepUp, '/delete': '5m' } } });
  const { person, signIn, headers } = await withAuthenticator();
  await untilHour20(app, signIn, headers);
  expect((await app.get('/delete', headers)).status).toBe(401);
  await apps.people.reauthenticate(person, signIn);
  expect((await app.get('/delete', headers)).status).toBe(200);
  expect((await app.get('/keys', headers)).status).toBe(401);
  const at = await completedAt(signIn, 'password');
  expect(await statusOf(app, headers)).toMatchObject({
    absoluteEndsAt: at + 24 * hour,
    idleEndsAt: at + hour,
  });
});

test('the strictest limit of the assurance level counts from the second factor on', async () => {
  const app = await apps.fastify({ policy: { ...policy, assurance: { aal2: '20m' } } });
  const { signIn, secret, headers } = await withAuthenticator();
  expect(await statusOf(app, headers)).toMatchObject({ rule: 'idle' });
  expect((await app.get('/keys', headers)).status).toBe(401);
  await factor.give(signIn, secret);
  expect((await app.get('/keys', headers)).status).toBe(200);
  expect(await statusOf(app, headers)).toMatchObject({ rule: 'assurance:aal2' });
});

test('a route that asks for more stays closed while Kratos is away, also where it would be open then', async () => {
  const { app, headers, wire } = await behindWire({ ...policy, whenUnavailable: { '/keys': 'open' } });
  expect((await app.get('/', headers)).status).toBe(200);
  wire.freeze();
  expect((await app.get('/keys', headers)).status).toBe(401);
  // What Kratos said before is still known.
  expect((await app.get('/', headers)).status).toBe(200);
  await app.close();
  await wire.close();
});
