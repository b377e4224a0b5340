/** The gateway's page with what apps recorded about a person: over real HTTP, Kratos and PostgreSQL, and in a real browser. */
import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { signInAt } from '../../examples/idle-sessions/sign-in.js';
import { SessionGuard } from '../../src/middleware/idle-sessions/guard.js';
import { type LogLine, writeLines } from '../../src/tokens/access/request-log-table.js';
import { findingsIn } from '../support/axe-findings.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const baseUrl = 'http://gateway.test';
const noon = Date.UTC(2026, 2, 10, 12);
const day = 86_400_000;
let guard: SessionGuard;
let gateway: TestGateway;

const guardAt = (publicUrl: string) =>
  new SessionGuard({
    postgresUrl: stack.postgres.runtimeUrl,
    kratos: { publicUrl, adminUrl: stack.kratos.adminUrl },
    policy: { idle: '30m', absolute: '12h' },
    verifyTimeoutMs: 20_000,
  });

beforeAll(async () => {
  guard = guardAt(stack.kratos.publicUrl);
  const rateLimits = { pagesPerMinute: 10_000 };
  gateway = await listenGateway({ stack, sessions: guard, baseUrl, more: { rateLimits } });
});
afterAll(async () => {
  await gateway?.close();
  await guard?.close();
});

/** A person who is signed in, and about whom apps recorded something. */
async function person(...lines: Partial<LogLine>[]) {
  const created = await people.create('activity');
  const [set] = (await signInAt(stack.kratos.publicUrl, created)) ?? [];
  const ofPerson = {
    at: noon,
    category: 'AUDIT',
    app: 'shop',
    event: 'request',
    identityId: created.id,
  } as const;
  await writeLines(
    gateway.pool,
    lines.map((line) => ({ ...ofPerson, ...line })),
  );
  return { id: created.id, cookie: set?.split(';', 1)[0] ?? '' };
}

const request = (path: string, more: Partial<LogLine> = {}): Partial<LogLine> => ({
  ...{ method: 'GET', path, status: 200 },
  ...more,
});
const refusal = (reason: string): Partial<LogLine> => ({
  category: 'SECURITY',
  event: 'token_refused',
  reason,
});
const look = (cookie: string, query = '', headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/account/activity${query}`, { headers: { cookie, ...headers } });
const textOf = async (cookie: string, query?: string, headers?: Record<string, string>) =>
  (await look(cookie, query, headers)).text();

it('shows what all apps recorded of the person alone, in their language, and hides what is markup', async () => {
  const own = await person(request('/orders'), request('/<b>', { app: 'bank' }), refusal('idle'));
  await person(request('/of-somebody-else'));
  await writeLines(gateway.pool, [
    {
      at: noon,
      category: 'SECURITY',
      app: 'shop',
      event: 'token_refused',
      reason: 'malformed',
      path: '/of-nobody',
    },
  ]);
  const answer = await look(own.cookie);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  const page = await answer.text();
  expect(page).toContain('<strong>GET /orders</strong> (answer 200)');
  expect(page).toContain('March 10, 2026');
  expect(page).toContain('GET /&lt;b&gt;');
  expect(page).toContain('bank');
  expect(page).toContain('Refused: the access was not used for too long');
  expect(page).not.toContain('somebody-else');
  expect(page).not.toContain('of-nobody');
  const german = await textOf(own.cookie, '', { 'accept-language': 'de-CH' });
  expect(german).toContain('Abgelehnt: der Zugang wurde zu lange nicht benutzt');
});

it.each([
  ['expired', 'the access was over its time'],
  ['lifetime', 'the access was over its time'],
  ['revoked', 'the access was ended'],
  ['stage', 'the access was ended'],
  ['not_yet', 'something was wrong with the access'],
  ['of-a-later-release', 'something was wrong with the access'],
])('says of a refusal for "%s": %s', async (reason, words) => {
  const { cookie } = await person(refusal(reason));
  expect(await textOf(cookie)).toContain(`<strong>Refused: ${words}</strong>`);
});

it('a category and days choose, and stay chosen', async () => {
  const { cookie } = await person(
    request('/before', { at: noon - day }),
    request('/first-moment', { at: noon - day / 2 }),
    request('/last-moment', { at: noon + day / 2 - 1 }),
    request('/after', { at: noon + day / 2 }),
    { ...refusal('revoked'), at: noon },
    { category: 'ERROR', event: 'token_unjudged', reason: 'PostgreSQL' },
  );
  const one = await textOf(cookie, '?category=AUDIT&from=2026-03-10&to=2026-03-10');
  expect(one.match(/<strong>GET [^<]*/g)).toEqual(['<strong>GET /last-moment', '<strong>GET /first-moment']);
  expect(one).toContain('<option value="AUDIT" selected>');
  expect(one).toContain('value="2026-03-10"');
  const errors = await textOf(cookie, '?category=ERROR');
  expect(errors.match(/<li>/g)).toHaveLength(1);
  expect(errors).toContain('An error on our side');
  expect(errors).not.toContain('PostgreSQL');
  expect(await textOf(cookie, '?from=9998-01-01&to=9999-12-31')).toContain(
    'Nothing was recorded that matches',
  );
  expect((await textOf(cookie, '?from=0001-01-01')).match(/<li>/g)).toHaveLength(6);
});

it('121 entries are three pages, each entry on one of them, also while more are recorded', async () => {
  const own = await person(...Array.from({ length: 121 }, (_, nth) => request(`/n${nth}`)));
  const seen: string[] = [];
  let query = '?category=AUDIT';
  for (let page = 1; page <= 3; page += 1) {
    const text = await textOf(own.cookie, query);
    seen.push(...[...text.matchAll(/<strong>GET (\/n\d+)</g)].map(([, path = '']) => path));
    expect(text.includes('>Newest entries<')).toBe(page > 1);
    expect(text.includes('>Older entries<')).toBe(page < 3);
    query =
      /<a href="([^"]*)">Older/.exec(text)?.[1]?.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=') ?? '';
    await writeLines(gateway.pool, [
      { at: noon, category: 'AUDIT', app: 'shop', event: 'request', identityId: own.id, path: '/new' },
    ]);
  }
  expect(seen).toEqual(Array.from({ length: 121 }, (_, nth) => `/n${120 - nth}`));
});

it.each([
  'category=audit',
  'category=AUDIT&category=ERROR',
  'before=-1',
  'before=1%20OR%201=1',
  'before=9999999999999999999',
  `from=${'9'.repeat(41)}`,
])('a question with %s is refused', async (query) => {
  const { cookie } = await person(request('/orders'));
  const answer = await look(cookie, `?${query}`);
  expect(answer.status).toBe(400);
  expect(await answer.text()).not.toContain('/orders');
});

it('a day that is none is named, and nothing is shown', async () => {
  const { cookie } = await person(request('/orders'));
  const answer = await look(cookie, '?from=31.12.2026');
  expect(answer.status).toBe(400);
  const page = await answer.text();
  expect(page).toContain('Days: write them as 2026-03-01');
  expect(page).toContain('value="31.12.2026"');
  expect(page).not.toContain('/orders');
});

it('a user_id of somebody else changes nothing, and without a session nothing is shown', async () => {
  const other = await person(request('/of-somebody-else'));
  const { cookie } = await person(request('/orders'));
  expect(await textOf(cookie, `?user_id=${other.id}`)).toContain('GET /orders');
  expect(await textOf(cookie, `?user_id=${other.id}`)).not.toContain('somebody-else');
  for (const none of ['', `ory_kratos_session=${randomUUID()}`]) {
    expect((await look(none)).status).toBe(401);
  }
});

it('while Kratos is away the page asks for patience', async () => {
  const away = guardAt('http://127.0.0.1:9');
  const { url, close } = await listenGateway({ stack, sessions: away, baseUrl });
  const answer = await fetch(`${url}/account/activity`, { headers: { cookie: 'ory_kratos_session=some' } });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60']);
  await close();
  await away.close();
});

describe('in a browser', () => {
  let browser: Browser;
  // Chromium may have to be installed.
  beforeAll(async () => {
    const { port } = new URL(gateway.url);
    const route = `--host-resolver-rules=MAP gateway.test:80 127.0.0.1:${port}`;
    browser = await launchChromium(await ensureChromium(), [route]);
  }, 600_000);
  afterAll(() => browser?.close());

  async function open(cookie: string, options: Parameters<Browser['newPage']>[0]) {
    const page = await browser.newPage(options);
    const [name = '', value = ''] = cookie.split(/=(.*)/s);
    await page.context().addCookies([{ name, value, url: baseUrl }]);
    await page.goto(`${baseUrl}/account/activity`);
    return page;
  }

  it('without scripts the filter and the way to older entries work', async () => {
    const lines = Array.from({ length: 51 }, (_, nth) => request(`/n${nth}`));
    const { cookie } = await person(...lines, refusal('idle'));
    const page = await open(cookie, { javaScriptEnabled: false });
    await page.getByLabel('What', { exact: true }).selectOption('what you did');
    await page.getByLabel('From').fill('2026-03-10');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('Refused:').waitFor({ state: 'detached' });
    await page.getByText('GET /n50', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Older entries' }).click();
    await page.getByText('GET /n0', { exact: true }).waitFor();
    expect(await page.getByLabel('What', { exact: true }).inputValue()).toBe('AUDIT');
    expect(await page.getByLabel('From').inputValue()).toBe('2026-03-10');
    await page.getByRole('link', { name: 'Newest entries' }).click();
    await page.getByText('GET /n50', { exact: true }).waitFor();
  });

  it.each([
    ['light', 'en'],
    ['dark', 'de'],
  ] as const)('%s and in %s it has no findings by axe-core, and fits a narrow window', async (colorScheme, locale) => {
    const wide = request(`/${'a'.repeat(200)}`);
    const { cookie } = await person(wide, refusal('revoked'), { category: 'ERROR', event: 'token_unjudged' });
    const page = await open(cookie, { colorScheme, locale, viewport: { width: 320, height: 600 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    expect(await findingsIn(page)).toEqual([]);
  });
});
