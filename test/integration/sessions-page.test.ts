/** The gateway's page with a person's own sessions: over real HTTP, Kratos, PostgreSQL and in a real browser. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { OryPeople, type Person } from '../../dev/demo/ory-people.js';
import { signInAt } from '../../examples/idle-sessions/sign-in.js';
import { guardForPage } from '../../src/gateway/sessions-page.js';
import { SessionGuard } from '../../src/middleware/idle-sessions/guard.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { publish } from '../support/publish.js';
import { fresh, openOutside } from '../support/system-outside.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const outside = openOutside();
const baseUrl = 'http://gateway.test';
let guard: SessionGuard;
let gateway: TestGateway;

const guardAt = (publicUrl: string) =>
  new SessionGuard({
    postgresUrl: stack.postgres.runtimeUrl,
    kratos: { publicUrl, adminUrl: stack.kratos.adminUrl },
    policy: { idle: '30m', absolute: '12h', choices: { offered: [0, '15m', '30m'] } },
    verifyMs: 1,
    verifyTimeoutMs: 20_000,
  });

// Chromium may have to be installed.
beforeAll(async () => {
  guard = guardAt(stack.kratos.publicUrl);
  const rateLimits = { pagesPerMinute: 10_000 };
  gateway = await listenGateway({ stack, sessions: guard, baseUrl, more: { rateLimits } });
}, 600_000);
afterAll(async () => {
  await gateway.close();
  await guard.close();
  await outside.close();
});

interface SignedIn {
  readonly cookie: string;
  readonly id: string;
}

async function signIn(person: Person): Promise<SignedIn> {
  const [set] = (await signInAt(stack.kratos.publicUrl, person)) ?? [];
  const cookie = set?.split(';', 1)[0] ?? '';
  const answer = await fetch(`${stack.kratos.publicUrl}/sessions/whoami`, { headers: { cookie } });
  return { cookie, id: ((await answer.json()) as { id: string }).id };
}

const at = (url = gateway.url) => `${url}/account/sessions`;
const look = (cookie: string, headers: Record<string, string> = {}) =>
  fetch(at(), { headers: { cookie, ...headers } });
const send = (cookie: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(at(), {
    method: 'POST',
    headers: { cookie, origin: baseUrl, ...headers },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
const isLive = async ({ cookie }: SignedIn) =>
  (await fetch(`${stack.kratos.publicUrl}/sessions/whoami`, { headers: { cookie } })).status === 200;

it('shows the sessions of the person alone, in their language, and says which one this is', async () => {
  const [person, stranger] = [await people.create('own'), await people.create('stranger')];
  const [here, there, elsewhere] = [await signIn(person), await signIn(person), await signIn(stranger)];
  const answer = await look(here.cookie);
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain('(this one)');
  expect(page).toContain(`value="${there.id}"`);
  expect(page).not.toContain(here.id);
  expect(page).not.toContain(elsewhere.id);
  expect(page).toContain('after 15 minutes');
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-frame-options': 'DENY',
  });
  const german = await (await look(here.cookie, { 'accept-language': 'de-AT' })).text();
  expect(german).toContain('Ihre Anmeldungen');
  expect(german).toContain('nach 15 Minuten');
});

it('ends the session that the person names, in Kratos, and nobody else’s', async () => {
  const [person, stranger] = [await people.create('own'), await people.create('stranger')];
  const [here, there, elsewhere] = [await signIn(person), await signIn(person), await signIn(stranger)];
  expect((await send(here.cookie, { do: 'end', id: elsewhere.id })).status).toBe(303);
  expect(await isLive(elsewhere)).toBe(true);
  const answer = await send(here.cookie, { do: 'end', id: there.id });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `${baseUrl}/account/sessions`]);
  expect([await isLive(here), await isLive(there)]).toEqual([true, false]);
});

it('signs out everywhere else, and then here', async () => {
  const person = await people.create('own');
  const [here, ...others] = [await signIn(person), await signIn(person), await signIn(person)];
  await send(here.cookie, { do: 'end-others' });
  expect(await Promise.all([here, ...others].map(isLive))).toEqual([true, false, false]);
  expect(await (await look(here.cookie)).text()).not.toContain('everywhere else');
  const answer = await send(here.cookie, { do: 'sign-out' });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('You are signed out');
  expect(await isLive(here)).toBe(false);
  expect((await look(here.cookie)).status).toBe(401);
});

describe('a form', () => {
  it.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['of an origin that is hidden', { origin: 'null' }],
    ['of another port of the host', { origin: 'http://gateway.test:8080' }],
    ['of another site, without an origin', { origin: '', 'sec-fetch-site': 'cross-site' }],
  ])('%s changes nothing', async (_what, headers) => {
    const here = await signIn(await people.create('own'));
    expect((await send(here.cookie, { do: 'sign-out' }, headers)).status).toBe(403);
    expect(await isLive(here)).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['a deed that there is not', { do: 'delete' }],
    ['an id that is none', { do: 'end', id: '1 OR 1=1' }],
    ['a limit that is not offered', { do: 'choose', idleMs: '86400000' }],
    ['a limit that is no number', { do: 'choose', idleMs: '-1' }],
  ])('with %s is refused, and changes nothing', async (_what, fields) => {
    const here = await signIn(await people.create('own'));
    expect((await send(here.cookie, fields as Record<string, string>)).status).toBe(400);
    expect(await isLive(here)).toBe(true);
  });

  it('keeps the limit that the person chooses', async () => {
    const here = await signIn(await people.create('own'));
    expect((await send(here.cookie, { do: 'choose', idleMs: '900000' })).status).toBe(303);
    expect(await (await look(here.cookie)).text()).toContain('<option value="900000" selected>');
  });
});

it('without a session the page says how to get in, and shows nothing', async () => {
  for (const cookie of ['', 'ory_kratos_session=unknown']) {
    const answer = await look(cookie);
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('https://acorn.test/login');
  }
});

it('while Kratos is away the page asks for patience, and a form is not carried out', async () => {
  const away = guardAt('http://127.0.0.1:9');
  const { url, close } = await listenGateway({ stack, sessions: away, baseUrl });
  const headers = { cookie: 'ory_kratos_session=some', origin: baseUrl };
  const answers = [
    await fetch(at(url), { headers }),
    await fetch(at(url), { method: 'POST', headers, body: new URLSearchParams({ do: 'sign-out' }) }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  expect(answers[0]?.headers.get('retry-after')).toBe('60');
  await close();
  await away.close();
});

describe('the setting DORMOUSE_SESSIONS_PAGE', () => {
  const log = pino({ level: 'silent' });
  const settings = (id: string, link: string | undefined) =>
    ({
      DORMOUSE_POSTGRES_URL: stack.postgres.runtimeUrl,
      DORMOUSE_POLICY_ID: id,
      DORMOUSE_LINK_BASE_URL: link,
    }) as Parameters<typeof guardForPage>[0];
  beforeAll(() => {
    vi.stubEnv('DORMOUSE_KRATOS_PUBLIC_URL', stack.kratos.publicUrl);
    vi.stubEnv('DORMOUSE_KRATOS_ADMIN_URL', stack.kratos.adminUrl);
  });
  afterAll(() => vi.unstubAllEnvs());

  it('is refused without the address of the pages, and without a section for sessions', async () => {
    const id = fresh('no-sessions');
    await publish(
      outside.pool,
      `id: ${id}\nladder: { warn: { after: 30d } }\nrecheck: 1d\nretry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }\n`,
    );
    await expect(guardForPage(settings(id, undefined), log)).rejects.toThrow(/DORMOUSE_LINK_BASE_URL/);
    await expect(guardForPage(settings(id, baseUrl), log)).rejects.toThrow(
      `the policy "${id}" has no section "sessions". Add one (docs/idle-sessions.md), or take off`,
    );
  });

  it('waits for a policy that is published later', async () => {
    const later = await guardForPage(settings(fresh('later'), baseUrl), log);
    expect(await later.decide({ headers: {}, path: '/' })).toEqual({ kind: 'none' });
    await later.close();
  });
});

it('in a browser the buttons work, though pages send no referrer', async () => {
  const person = await people.create('own');
  const [here, there] = [await signIn(person), await signIn(person)];
  const { port } = new URL(gateway.url);
  const browser = await launchChromium(await ensureChromium(), [
    `--host-resolver-rules=MAP gateway.test:80 127.0.0.1:${port}`,
  ]);
  try {
    const context = await browser.newContext();
    const [name = '', value = ''] = here.cookie.split(/=(.*)/s);
    await context.addCookies([{ name, value, url: baseUrl }]);
    const page = await context.newPage();
    await page.goto(at(baseUrl));
    await page.getByLabel('Sign me out without input').selectOption('after 15 minutes');
    await page.getByRole('button', { name: 'Save' }).click();
    expect(await page.getByLabel('Sign me out without input').inputValue()).toBe('900000');
    await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await page.getByRole('button', { name: 'Sign out everywhere else' }).waitFor({ state: 'detached' });
    expect([await isLive(here), await isLive(there)]).toEqual([true, false]);
    await page.getByRole('button', { name: 'Sign out here' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await isLive(here)).toBe(false);
  } finally {
    await browser.close();
  }
});
