/** The browser library of access tokens in real Chromium: several tabs, outages, sleep, late answers, and where a token goes. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { holdStatus, warningIn } from '../support/idle-page.js';
import { minute } from '../support/token-apps.js';
import {
  check,
  count,
  coverOf,
  current,
  isSignedIn,
  passUntil,
  second,
  untilWarned,
  work,
} from '../support/token-page.js';
import { type OpenedPage, TokenPages } from '../support/token-pages.js';
import { until } from '../support/until.js';

let pages: TokenPages;
// Chromium may have to be installed.
beforeAll(async () => {
  pages = await TokenPages.begin();
}, 600_000);
afterEach(() => pages.closeContexts());
afterAll(() => pages.close());

describe('several tabs', () => {
  /** Two pages of one browser whose tokens share a session. */
  async function two(): Promise<[OpenedPage, OpenedPage]> {
    const context = await pages.newContext();
    const one = await pages.signedIn('fixed', { context });
    const other = await pages.open('fixed', { context });
    await other.page.evaluate(`access.signedIn('${await current(one.page)}').then(show)`);
    return [one, other];
  }

  it('a sign-out in one of them reaches the other, by one call', async () => {
    const [one, other] = await two();
    await one.page.getByRole('button', { name: 'Sign out' }).click();
    for (const { page } of [one, other]) await page.waitForURL('**/sign-in?reason=signed_out*');
    expect(count(one, 'POST sign-out') + count(other, 'POST sign-out')).toBe(1);
  });

  it('a sign-out leaves a tab with another session signed in', async () => {
    const context = await pages.newContext();
    const one = await pages.signedIn('fixed', { context });
    const other = await pages.signedIn('fixed', { context });
    const asked = count(other, 'GET status');
    await one.page.getByRole('button', { name: 'Sign out' }).click();
    await one.page.waitForURL('**/sign-in?reason=signed_out*');
    await until('the other one asked', () => count(other, 'GET status') > asked);
    await check(other.page);
    expect(await isSignedIn(other.page)).toBe(true);
    expect(await other.page.locator('main').isVisible()).toBe(true);
  });

  it('work in one of them keeps the other from warning', async () => {
    const [one, other] = await two();
    await one.pass(17 * minute);
    await work(one.page);
    await other.page.clock.runFor(17 * minute);
    const asked = count(other, 'GET status');
    // By the other one's own count the end is near, now or (where it heard of the use in time) 17 minutes later; the server says that it
    // is not.
    await until('the other one asks', async () => {
      await other.page.clock.runFor(30 * second);
      return count(other, 'GET status') > asked;
    });
    await check(other.page);
    expect(await other.page.getByRole('alertdialog').count()).toBe(0);
  });

  it('an answer to the warning in one of them closes it in the other', async () => {
    const [one, other] = await two();
    await untilWarned(one);
    await other.page.clock.runFor(pages.apps.aheadMs);
    await until('the other one warns', async () => {
      await other.page.clock.runFor(second);
      return warningIn(other.page).isVisible();
    });
    // The first one's time stood still meanwhile, and what it knows of the server's may have changed by a moment.
    await check(one.page);
    await passUntil(one, 'the warning again', () => warningIn(one.page).isVisible());
    await one.page.getByRole('button', { name: 'Stay signed in' }).click();
    for (const { page } of [one, other]) await warningIn(page).waitFor({ state: 'detached' });
    expect(count(one, 'POST use') + count(other, 'POST use')).toBe(1);
  });
});

describe('what goes wrong', () => {
  it.each([
    ['an outage', 503, 'application/json', '{"error":"unavailable"}'],
    ['a page of a proxy', 200, 'text/html', '<h1>hello</h1>'],
    ['a refusal of something else', 401, 'text/html', '<h1>Who are you?</h1>'],
    ['an answer without times', 200, 'application/json', '{"state":"good"}'],
  ])('%s signs nobody out: the page is covered at zero, and shown when the server answers', async (_what, status, contentType, body) => {
    const { page, pass } = await pages.signedIn('fixed');
    await page.route('**/token/status*', (route) => route.fulfill({ status, contentType, body }));
    await pass(21 * minute);
    await coverOf(page, 'The server cannot be reached. Please wait.').waitFor();
    pages.apps.aheadMs = 0;
    await page.unroute('**/token/status*');
    await until('the page is shown', async () => {
      await page.clock.runFor(second);
      return page.locator('main').isVisible();
    });
    expect(await isSignedIn(page)).toBe(true);
  });

  it('a sign-out that the server does not take is tried again, and the page is covered meanwhile', async () => {
    const opened = await pages.signedIn('fixed');
    const { page } = opened;
    await page.route('**/token/sign-out', (route) => route.fulfill({ status: 503 }));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await coverOf(page, 'The server cannot be reached. Please wait.').waitFor();
    await page.unroute('**/token/sign-out');
    await page.clock.runFor(5 * second);
    await page.waitForURL('**/sign-in?reason=signed_out*');
    expect(count(opened, 'POST sign-out')).toBeGreaterThan(1);
  });

  it('a machine that slept for an hour shows nothing but the end, and uses nothing', async () => {
    const { page, calls } = await pages.signedIn('fixed');
    pages.apps.aheadMs += 61 * minute;
    await page.clock.setSystemTime(Date.now() + 61 * minute);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await coverOf(page, /^You were signed out: /).waitFor();
    expect(calls).not.toContain('POST use');
  });

  it('a page from the back/forward cache hides its content until the server answered', async () => {
    const { page } = await pages.signedIn('fixed');
    const { asked, answer } = holdStatus(page, '**/token/status*');
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await asked;
    expect(await page.locator('main').isVisible()).toBe(false);
    answer();
    await page.locator('main').waitFor({ state: 'visible' });
  });

  it('a late answer about a token that was replaced ends nothing', async () => {
    const { page, person } = await pages.signedIn('fixed');
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked = page.waitForRequest('**/api/me');
    await page.route('**/api/me', async (route) => {
      await held;
      await route.fulfill({ status: 401, json: { error: 'invalid_token', end: 'time' } });
    });
    await page.evaluate("void (globalThis.late = access.fetch('/api/me'))");
    await asked;
    await page.evaluate(`access.signedIn('${await pages.tokenOf('fixed', person)}')`);
    release();
    expect(await page.evaluate('late.then(({ status }) => status)')).toBe(401);
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await isSignedIn(page)).toBe(true);
  });
});

describe('the token', () => {
  it('goes to no origin but its API’s, and is kept in memory alone', async () => {
    const { page } = await pages.signedIn('fixed');
    const token = await current(page);
    await page.evaluate(`
      globalThis.heard = [];
      globalThis.channel = new BroadcastChannel('dormouse/token/');
      channel.onmessage = ({ data }) => heard.push(JSON.stringify(data));
    `);
    await expect(page.evaluate("access.fetch('https://evil.example/')")).rejects.toThrow(
      /the token is not for https:\/\/evil\.example\. Name it in "origins"/,
    );
    await work(page);
    await until('the other tabs are told', () => page.evaluate<boolean>('heard.length > 0'));
    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, heard])',
    );
    expect(kept).not.toContain(token.slice(-20));
    await expect(page.evaluate("access.stop(), access.fetch('/api/me')")).rejects.toThrow(
      /nobody is signed in/,
    );
  });

  it('two starts on one page are an error that names the way out', async () => {
    const { page } = await pages.open('fixed');
    await expect(page.evaluate('DormouseTokens.startAccessToken()')).rejects.toThrow(/Call stop\(\) first/);
  });
});

describe('the way back', () => {
  it('leads to a path of this origin alone', async () => {
    const { page } = await pages.open('fixed');
    const targets: Record<string, string> = {};
    const asked = [
      ...['/#/activity', '/orders?page=2#top', '//evil.example/', '/\\evil.example/', '/\t/evil.example/'],
      ...['https://evil.example/', 'javascript:alert(1)', '/..//evil.example/', ''],
    ];
    for (const returnTo of asked) {
      const url = `/sign-in?${new URLSearchParams({ return_to: returnTo })}`;
      await page.evaluate(`history.replaceState(null, '', ${JSON.stringify(url)})`);
      targets[returnTo] = await page.evaluate<string>("DormouseTokens.returnTarget('/#/fallback')");
    }
    const fallback = '/#/fallback';
    expect(targets).toEqual({
      '/#/activity': '/#/activity',
      '/orders?page=2#top': '/orders?page=2#top',
      '//evil.example/': fallback,
      '/\\evil.example/': fallback,
      '/\t/evil.example/': fallback,
      'https://evil.example/': fallback,
      'javascript:alert(1)': fallback,
      '/..//evil.example/': '/evil.example/',
      '': fallback,
    });
  });
});

it('speaks German', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { startAccessToken } from './tokens.js';
        import { germanTokens } from './tokens-de.js';
        globalThis.access = startAccessToken({ texts: germanTokens });`,
      resolveDir: join(projectDirectory, 'src', 'browser'),
      loader: 'ts',
    },
    bundle: true,
    format: 'iife',
    write: false,
  });
  const context = await pages.newContext();
  const body = outputFiles[0]?.text ?? '';
  await context.route('**/app.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
  const { page } = await pages.open('fixed', { context });
  const { token } = await pages.apps.issue();
  await page.evaluate(`access.signedIn('${token}')`);
  await coverOf(page, 'Ihr Zugang gilt hier nicht. Bitte melden Sie sich neu an.').waitFor();
});
