/** The example of inactive tokens against the real stack, by its API and as a person sees it in Chromium. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { type Example, type InactiveTokensExample, loadExample } from '../support/examples.js';
import { minute, TokenApps } from '../support/token-apps.js';
import { until } from '../support/until.js';

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

describe('the page', () => {
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    browser = await launchChromium(await ensureChromium());
    url = await (await start()).listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => browser?.close());

  type Person = Awaited<ReturnType<typeof people.create>>;

  async function signedIn(): Promise<{ page: Page; person: Person }> {
    const person = await people.create('example');
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByText('After 20 minutes without work').waitFor();
    await signIn(page, person);
    return { page, person };
  }

  async function signIn(page: Page, { identifier, password }: Person): Promise<void> {
    await page.getByLabel('E-mail').fill(identifier);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Without work it ends in 20 min.').waitFor();
    await settled(page);
  }

  /** Until all its answers are there: the clock must not move between two of them. */
  const settled = (page: Page) => page.locator('#work:enabled').waitFor({ state: 'attached' });
  const work = async (page: Page) => {
    await page.getByRole('button', { name: 'Work' }).click();
    await settled(page);
  };
  /** Also while the button is hidden. */
  const press = (page: Page) => page.evaluate("document.getElementById('work').click()");
  const says = (page: Page, text: string) => page.getByText(text).waitFor();

  it('says why it ended when nobody worked, and a new sign-in goes on', async () => {
    const { page, person } = await signedIn();
    apps.aheadMs += 19 * minute;
    await work(page);
    await says(page, 'Without work it ends in 20 min.');
    apps.aheadMs += 20 * minute;
    await work(page);
    await says(page, 'because you were away for a while');
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    await signIn(page, person);
  });

  it('says why it ended when its time was over, and when its access was ended', async () => {
    const { page } = await signedIn();
    for (let passed = 0; passed < 45; passed += 15) {
      apps.aheadMs += 15 * minute;
      await work(page);
      await says(page, `Without work it ends in ${Math.min(20, 60 - passed - 15)} min.`);
    }
    apps.aheadMs += 15 * minute;
    await work(page);
    await says(page, 'your sign-in was over its time');

    const { page: other, person } = await signedIn();
    await writeNotBefore(apps.database.pool, person.id, apps.now() + 1_000);
    await until('the page says so', async () => {
      await press(other);
      return other.getByText('because your access was ended').isVisible();
    });
  });

  it('shows the person their own log, and signs out', async () => {
    const { page } = await signedIn();
    await until('the log has the work', async () => {
      await press(page);
      return page.getByText('GET /api/me 200').first().isVisible();
    });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await says(page, 'You signed out.');
  });
});
