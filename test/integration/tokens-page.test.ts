/** The gateway's page with a person's own access tokens: over real HTTP, Kratos and PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople, type Person } from '../../dev/demo/ory-people.js';
import { signInAt } from '../../examples/idle-sessions/sign-in.js';
import { readAudit } from '../../src/audit/log-table.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { tokensForPage } from '../../src/gateway/tokens-page.js';
import { SessionGuard } from '../../src/middleware/idle-sessions/guard.js';
import { PersonalTokens } from '../../src/middleware/personal-tokens/personal-tokens.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { publish } from '../support/publish.js';
import { fresh, openOutside } from '../support/system-outside.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const outside = openOutside();
const baseUrl = 'http://gateway.test';
const postgresUrl = stack.postgres.runtimeUrl;
let guard: SessionGuard;
let tokens: PersonalTokens;
let gateway: TestGateway;
let aheadMs = 0;
let stepUp: Record<string, string> = {};

beforeAll(async () => {
  guard = new SessionGuard({
    postgresUrl,
    kratos: { publicUrl: stack.kratos.publicUrl, adminUrl: stack.kratos.adminUrl },
    policy: () => ({ idle: '30m', absolute: '12h', stepUp }),
    clock: () => Date.now() + aheadMs,
    verifyTimeoutMs: 20_000,
  });
  tokens = new PersonalTokens({
    postgresUrl,
    policy: {
      scopes: ['repo:read'],
      atMost: 2,
      longestLifetime: '400d',
      types: { ci: { inactive: 'never', longestLifetime: '90d' } },
    },
  });
  await tokens.ready();
  const rateLimits = { pagesPerMinute: 10_000 };
  gateway = await listenGateway({
    stack,
    sessions: guard,
    personalTokens: tokens,
    baseUrl,
    more: { rateLimits },
  });
});
afterAll(async () => {
  await gateway.close();
  await tokens.close();
  await guard.close();
  await outside.close();
});

async function begin() {
  const person = await people.create('own');
  return { person, ...asPerson(await cookieOf(person)) };
}

async function cookieOf(person: Person): Promise<string> {
  const [set] = (await signInAt(stack.kratos.publicUrl, person)) ?? [];
  return set?.split(';', 1)[0] ?? '';
}

function asPerson(cookie: string) {
  const url = `${gateway.url}/account/tokens`;
  return {
    look: async (headers: Record<string, string> = {}) =>
      (await fetch(url, { headers: { cookie, ...headers } })).text(),
    send: (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(url, {
        method: 'POST',
        headers: { cookie, origin: baseUrl, ...headers },
        body: new URLSearchParams(fields),
        redirect: 'manual',
      }),
  };
}

const tokenIn = (page: string) => /<code>(dmp_[0-9A-Za-z]{49})<\/code>/u.exec(page)?.[1] ?? '';

it('shows a new token once, and the list what ends it, in the person’s language', async () => {
  const { person, look, send } = await begin();
  const answer = await send({
    do: 'create',
    name: 'build <server>',
    type: 'ci',
    scopes: 'repo:read',
    days: '30',
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const token = tokenIn(await answer.text());
  expect(await tokens.check(token, { scopes: ['repo:read'] })).toMatchObject({
    kind: 'live',
    token: { identityId: person.id, type: 'ci', inactiveAt: null },
  });
  const page = await look();
  expect(page).not.toContain(token);
  expect(page).toContain('build &lt;server&gt;');
  expect(page).toContain('Last used: never');
  expect(page).toContain('Ends if not used: never');
  expect(page).toContain('personal: ends after 365 days without use');
  expect(page).toContain('ci: never ends for want of use, 90 days at most');
  const german = await look({ 'accept-language': 'de' });
  expect(german).toContain('Ihre Zugriffstoken');
  expect(german).toContain('Endet unbenutzt: nie');
});

it('replaces and revokes own tokens, and nobody else’s', async () => {
  const [own, stranger] = [await begin(), await begin()];
  const first = tokenIn(await (await own.send({ do: 'create', name: 'laptop' })).text());
  const [stored] = await tokens.list(own.person.id);
  const id = stored?.tokenId ?? '';
  for (const act of ['rotate', 'revoke']) expect((await stranger.send({ do: act, id })).status).toBe(303);
  expect((await tokens.check(first)).kind).toBe('live');
  const second = tokenIn(await (await own.send({ do: 'rotate', id })).text());
  expect([(await tokens.check(first)).kind, (await tokens.check(second)).kind]).toEqual(['refused', 'live']);
  const [rotated] = await tokens.list(own.person.id);
  const answer = await own.send({ do: 'revoke', id: rotated?.tokenId ?? '' });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `${baseUrl}/account/tokens`]);
  expect((await tokens.check(second)).kind).toBe('refused');
  expect(
    (await readAudit(outside.pool, own.person.id)).map(({ eventType, actor }) => [eventType, actor]),
  ).toEqual([
    ['personal_token_created', own.person.id],
    ['personal_token_rotated', own.person.id],
    ['personal_token_revoked', own.person.id],
  ]);
});

it.each([
  [{ name: ' ' }, 'Name: write'],
  [{ name: 'x', type: 'other' }, 'Type: choose'],
  [{ name: 'x', scopes: 'admin' }, 'Scopes: write'],
  [{ name: 'x', days: '401' }, 'Days: write fewer'],
])('%j is refused by its field, and nothing that was written is lost', async (fields, problem) => {
  const { person, send } = await begin();
  const answer = await send({ do: 'create', ...fields });
  const page = await answer.text();
  expect(answer.status).toBe(400);
  expect(page).toContain(problem);
  for (const text of ['scopes' in fields ? fields.scopes : '', 'days' in fields ? fields.days : '']) {
    expect(page).toContain(`value="${text}"`);
  }
  expect(await tokens.list(person.id)).toEqual([]);
});

/** Turns the guard's clock on, as if the sign-in were older. */
async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
  aheadMs = ms;
  try {
    return await work();
  } finally {
    aheadMs = 0;
  }
}

describe('a sign-in of 16 minutes ago', () => {
  it('makes and replaces no token, and may still look and revoke', async () => {
    const { person, look, send } = await begin();
    const first = tokenIn(await (await send({ do: 'create', name: 'laptop' })).text());
    const [stored] = await tokens.list(person.id);
    const id = stored?.tokenId ?? '';
    await later(16 * 60_000, async () => {
      for (const fields of [
        { do: 'create', name: 'stolen' },
        { do: 'rotate', id },
      ]) {
        const answer = await send(fields as Record<string, string>, { 'accept-language': 'de' });
        expect(answer.status).toBe(401);
        expect(await answer.text()).toContain('Melden Sie sich noch einmal an');
      }
      expect((await tokens.list(person.id)).map(({ tokenId }) => tokenId)).toEqual([id]);
      expect(await look()).toContain('laptop');
      expect((await send({ do: 'revoke', id })).status).toBe(303);
    });
    expect((await tokens.check(first)).kind).toBe('refused');
  });

  it('makes a token where the policy takes an older one for the page', async () => {
    const { send } = await begin();
    stepUp = { '/account/tokens': '1h' };
    await guard.refresh();
    const answer = await later(16 * 60_000, () => send({ do: 'create', name: 'laptop' }));
    stepUp = {};
    await guard.refresh();
    expect(tokenIn(await answer.text())).not.toBe('');
  });
});

it('makes no token for a person who was deleted, and does not say that it is busy', async () => {
  const { person, send } = await begin();
  await buryIdentity(outside.pool, person.id, undefined, Date.now());
  expect((await send({ do: 'create', name: 'x' })).status).toBe(401);
  expect(await tokens.create({ identityId: person.id }, { name: 'x' })).toEqual({ kind: 'owner-deleted' });
});

it('says that there are too many', async () => {
  const { send } = await begin();
  for (const name of ['a', 'b']) expect((await send({ do: 'create', name })).status).toBe(200);
  const answer = await send({ do: 'create', name: 'c' });
  expect([answer.status, (await answer.text()).includes('as many tokens as are allowed')]).toEqual([
    400,
    true,
  ]);
});

it('changes nothing from another origin, without a session, or by a form that is none', async () => {
  const { person, send } = await begin();
  expect((await send({ do: 'create', name: 'x' }, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await asPerson('').send({ do: 'create', name: 'x' })).status).toBe(401);
  for (const fields of [
    { do: 'steal' },
    { do: 'revoke', id: 'x' },
    { do: 'create', name: 'x', days: '-1' },
  ]) {
    expect((await send(fields as Record<string, string>)).status).toBe(400);
  }
  expect(await tokens.list(person.id)).toEqual([]);
});

describe('the setting DORMOUSE_PERSONAL_TOKENS_PAGE', () => {
  const log = pino({ level: 'silent' });
  const settings = (id: string, sessions: 'on' | 'off') => ({
    ...{ DORMOUSE_POSTGRES_URL: postgresUrl, DORMOUSE_POLICY_ID: id, DORMOUSE_SESSIONS_PAGE: sessions },
  });

  it('is refused without the page of sessions, and without a section for tokens', async () => {
    const id = fresh('no-tokens');
    await publish(
      outside.pool,
      `id: ${id}\nladder: { warn: { after: 30d } }\nrecheck: 1d\nretry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }\n`,
    );
    await expect(tokensForPage(settings(id, 'off'), log)).rejects.toThrow(/DORMOUSE_SESSIONS_PAGE is off/);
    await expect(tokensForPage(settings(id, 'on'), log)).rejects.toThrow(/no section "tokens.personal"/);
  });

  it('waits for a policy that is published later', async () => {
    const later = await tokensForPage(settings(fresh('later'), 'on'), log);
    expect(await later.check(`dmp_${randomUUID()}`)).toEqual({ kind: 'unavailable' });
    await later.close();
  });
});
