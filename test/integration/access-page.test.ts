/** The gateway's page with the apps and devices that stay signed in for a person: over real HTTP, Kratos and PostgreSQL. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { signInAt } from '../../examples/idle-sessions/sign-in.js';
import { SessionGuard } from '../../src/middleware/idle-sessions/guard.js';
import { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { endFamilies } from '../../src/tokens/refresh/families-table.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { requestFrom } from '../support/refresh-services.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const baseUrl = 'http://gateway.test';
let guard: SessionGuard;
let gateway: TestGateway;
let tokens: RefreshTokens;

beforeAll(async () => {
  guard = new SessionGuard({
    postgresUrl: stack.postgres.runtimeUrl,
    kratos: { publicUrl: stack.kratos.publicUrl, adminUrl: stack.kratos.adminUrl },
    policy: { idle: '30m', absolute: '12h' },
    verifyTimeoutMs: 20_000,
  });
  gateway = await listenGateway({
    stack,
    sessions: guard,
    baseUrl,
    more: { rateLimits: { pagesPerMinute: 10_000 } },
  });
  tokens = new RefreshTokens({
    postgresUrl: stack.postgres.runtimeUrl,
    key: randomBytes(32).toString('base64'),
    policy: {},
  });
});
afterAll(async () => {
  await tokens?.close();
  await gateway?.close();
  await guard?.close();
});

/** A person who is signed in, with families. */
async function person(families = 2) {
  const created = await people.create('access');
  const [set] = (await signInAt(stack.kratos.publicUrl, created)) ?? [];
  const ids: string[] = [];
  for (let nth = 0; nth < families; nth += 1) {
    const granted = await tokens.issue({
      identityId: created.id,
      clientId: `client-${nth}`,
      deviceName: `Ada’s <phone> ${nth}`,
      request: requestFrom('203.0.113.9'),
    });
    if (granted.granted) ids.push(granted.familyId);
  }
  return { identityId: created.id, cookie: set?.split(';', 1)[0] ?? '', ids };
}

const look = (cookie: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/account/access`, { headers: { cookie, ...headers } });
const send = (cookie: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/account/access`, {
    method: 'POST',
    headers: { cookie, origin: baseUrl, ...headers },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
const live = async (identityId: string) =>
  (await tokens.list(identityId)).filter(({ ended }) => ended === undefined).map(({ id }) => id);

it('shows what has access to the account of the person alone, in their language', async () => {
  const [one, stranger] = [await person(), await person()];
  const answer = await look(one.cookie);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  const page = await answer.text();
  for (const id of one.ids) expect(page).toContain(`value="${id}"`);
  for (const id of stranger.ids) expect(page).not.toContain(id);
  expect(page).toContain('Ada’s &lt;phone&gt; 0');
  expect(page).toContain('203.0.113.9');
  expect(page).toContain('Last used: never');
  expect(page).not.toContain('Ended lately');
  expect(await (await look(one.cookie, { 'accept-language': 'de' })).text()).toContain(
    'Alle Zugänge beenden',
  );
});

it('ends what the person names, and tells of it; never somebody else’s', async () => {
  const [one, stranger] = [await person(), await person()];
  const answer = await send(one.cookie, { do: 'end', id: one.ids[0] ?? '' });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `${baseUrl}/account/access`]);
  expect((await send(one.cookie, { do: 'end', id: stranger.ids[0] ?? '' })).status).toBe(303);
  expect([await live(one.identityId), await live(stranger.identityId)]).toEqual([
    [one.ids[1]],
    expect.arrayContaining(stranger.ids),
  ]);
  expect(await (await look(one.cookie)).text()).toContain('Ended lately');
});

it('ends all', async () => {
  const { cookie, identityId } = await person(3);
  expect((await send(cookie, { do: 'end-all' })).status).toBe(303);
  expect(await live(identityId)).toEqual([]);
  expect(await (await look(cookie)).text()).toContain('Nothing has access at the moment');
});

it.each([
  ['unused', 'It was no longer used'],
  ['reuse', 'A copy of its access was used'],
] as const)('tells afterwards of an end for %s', async (why, told) => {
  const { cookie, ids } = await person(1);
  await endFamilies(gateway.pool, { familyIds: ids, why }, Date.now());
  expect(await (await look(cookie)).text()).toContain(told);
});

it('a form of another origin, or of nobody, changes nothing', async () => {
  const { cookie, identityId, ids } = await person();
  for (const origin of ['https://evil.example', 'null']) {
    expect((await send(cookie, { do: 'end-all' }, { origin })).status).toBe(403);
  }
  expect((await send('ory_kratos_session=made-up', { do: 'end-all' })).status).toBe(401);
  expect((await look('')).status).toBe(401);
  expect(await live(identityId)).toHaveLength(ids.length);
});

it.each([
  { do: 'end' },
  { do: 'end', id: 'x' },
  { do: 'everything' },
  {},
])('a form of %j is refused', async (fields) => {
  const { cookie, identityId, ids } = await person(1);
  expect((await send(cookie, { ...fields })).status).toBe(400);
  expect((await send(cookie, { do: 'end', id: randomUUID() })).status).toBe(303);
  expect(await live(identityId)).toEqual(ids);
});
