/** The browser library of access tokens in real Chromium, against the example app. Idle: 20 min; 10 min in the sliding mode. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { findingsIn } from '../support/axe-findings.js';
import { secondsShown, warningIn } from '../support/idle-page.js';
import { minute } from '../support/token-apps.js';
import {
  approach,
  check,
  count,
  coverOf,
  current,
  idleEnd,
  leftOf,
  passUntil,
  second,
  timeEnd,
  untilEnded,
  untilWarned,
  warnedOf,
  work,
} from '../support/token-page.js';
import { type Mode, type OpenedPage, TokenPages } from '../support/token-pages.js';
import { until } from '../support/until.js';

let pages: TokenPages;
// Chromium may have to be installed.
beforeAll(async () => {
  pages = await TokenPages.begin();
}, 600_000);
afterEach(() => pages.closeContexts());
afterAll(() => pages.close());

const warned = (mode?: Mode) => warnedOf(pages, mode);

describe('the warning', () => {
  it('names the time that is left, goes on by itself, and is no use', async () => {
    const opened = await warned();
    const { page } = opened;
    expect(await warningIn(page).textContent()).toContain('You will be signed out in 2 minutes');
    await opened.pass((await leftOf(opened)) - 30 * second);
    const before = await secondsShown(page);
    await opened.pass(10 * second);
    expect(before - (await secondsShown(page))).toBe(10);
    expect(opened.calls).not.toContain('POST use');
  });

  it.each([
    'the button',
    'Escape',
  ])('%s is a use, and the person stays for another 20 minutes', async (how) => {
    const opened = await warned();
    const { page } = opened;
    if (how === 'Escape') await page.keyboard.press('Escape');
    else await page.getByRole('button', { name: 'Stay signed in' }).click();
    await warningIn(page).waitFor({ state: 'detached' });
    expect(count(opened, 'POST use')).toBe(1);
    await opened.pass(17 * minute);
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    expect(await leftOf(opened)).toBeGreaterThan(0);
    await untilWarned(opened);
  });

  it('an answer that does not reach the server is told again', async () => {
    const opened = await warned();
    const { page } = opened;
    await page.route('**/token/use*', (route) => route.abort());
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await until('the first try', () => count(opened, 'POST use') === 1);
    await page.unroute('**/token/use*');
    await passUntil(opened, 'the next try', () => count(opened, 'POST use') > 1);
    await warningIn(page).waitFor({ state: 'detached' });
  });

  it.each([
    -120, 120,
  ])('says the seconds that the server says, with a clock that is %i minutes off', async (off) => {
    const opened = await pages.signedIn('fixed', { aheadMs: off * minute });
    const { page } = opened;
    await untilWarned(opened);
    await opened.pass((await leftOf(opened)) - 30 * second);
    await check(page);
    const [shown, left] = [await secondsShown(page), (await leftOf(opened)) / second];
    expect(shown).toBeLessThanOrEqual(30);
    // The page asked first.
    expect(shown).toBeGreaterThanOrEqual(Math.floor(left));
  });

  it('is not stopped by a clock that is set back during the countdown', async () => {
    const opened = await warned();
    const { page } = opened;
    await opened.pass((await leftOf(opened)) - 50 * second);
    const before = await secondsShown(page);
    await page.clock.setSystemTime(Date.now() - 120 * minute);
    await opened.pass(5 * second);
    expect(Math.abs(before - 5 - (await secondsShown(page)))).toBeLessThanOrEqual(1);
  });

  it('has no findings by axe-core, and neither has the end', async () => {
    const { page } = await warned();
    const other = await pages.open('fixed');
    await other.page.evaluate("access.signedIn('no.good.token')");
    await coverOf(other.page, /not valid here/).waitFor();
    for (const shown of [page, other.page]) {
      await shown.clock.resume();
      expect(await findingsIn(shown)).toEqual([]);
    }
  });
});

describe('the end', () => {
  it('idle: is said after the server was asked, and covers the page', async () => {
    const opened = await warned();
    const { page } = opened;
    await untilEnded(opened, idleEnd);
    expect(opened.calls.at(-1)).toBe('GET status');
    expect(opened.calls).not.toContain('POST use');
    expect(await page.locator('main').isVisible()).toBe(false);
    expect(await page.evaluate('access.current()')).toBeUndefined();
  });

  it('time: is announced without an answer that lengthens it, where the API does not slide', async () => {
    const opened = await pages.signedIn('fixed');
    const { page } = opened;
    for (let passed = 0; passed < 45; passed += 15) {
      await opened.pass(15 * minute);
      await work(page);
    }
    await untilWarned(opened);
    expect(await warningIn(page).textContent()).toContain('Your access ends in 2 minutes. Save your work.');
    await page.getByRole('button', { name: 'Understood' }).click();
    await warningIn(page).waitFor({ state: 'detached' });
    await untilEnded(opened, timeEnd);
    expect(opened.calls).not.toContain('POST renew');
  });

  it('revoked: is said by the answer to whatever the page asks', async () => {
    const { page, person } = await pages.signedIn('fixed');
    await writeNotBefore(pages.apps.database.pool, person.id, pages.apps.now() + second);
    const cover = coverOf(page, 'You were signed out: your access was ended elsewhere.');
    await until('the guard has heard', async () => {
      await page.evaluate("access.fetch('/api/me').catch(() => undefined).then(() => undefined)");
      return cover.isVisible();
    });
  });

  it('error: a token that is none of this API is said to be none', async () => {
    const { page } = await pages.open('fixed');
    await page.evaluate("access.signedIn('no.good.token')");
    await coverOf(page, 'Your access is not valid here. Please sign in again.').waitFor();
  });

  it('by the person: the sign-out is told to the server, and leads to the sign-in', async () => {
    const opened = await pages.signedIn('fixed');
    const token = await current(opened.page);
    await opened.page.getByRole('button', { name: 'Sign out' }).click();
    await opened.page.waitForURL('**/sign-in?reason=signed_out*');
    expect(count(opened, 'POST sign-out')).toBe(1);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${pages.urls.fixed}/api/me`, { headers })).status).toBe(401);
  });

  it('a new sign-in leads back to where the person was, and their log has the end', async () => {
    const opened = await pages.signedIn('fixed');
    const { page, person } = opened;
    await page.getByRole('link', { name: 'My activity' }).click();
    await page.getByRole('heading', { name: 'My activity' }).waitFor();
    await untilWarned(opened);
    await untilEnded(opened, idleEnd);
    await page.getByRole('dialog').getByRole('link', { name: 'Sign in' }).click();
    await page.waitForURL('**/sign-in?reason=idle&return_to=*');
    await pages.signIn(page, person);
    expect(page.url()).toBe(`${pages.urls.fixed}/#/activity`);
    await page.getByRole('heading', { name: 'My activity' }).waitFor();
    await until('the log has the end', async () => {
      await page.evaluate('showActivity()');
      return page.getByText('token_refused').first().isVisible();
    });
  });

  it('a sign-in in the same page uncovers it', async () => {
    const { page, person } = await pages.open('fixed');
    await page.evaluate("access.signedIn('no.good.token')");
    await coverOf(page, /not valid here/).waitFor();
    await page.evaluate(`access.signedIn('${await pages.tokenOf('fixed', person)}')`);
    expect(await page.locator('main').isVisible()).toBe(true);
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('in the sliding mode', () => {
  /** The person works after 7 of 10 minutes, so that the token's own end comes before the idle end. */
  async function working(): Promise<OpenedPage & { readonly first: string }> {
    const opened = await pages.signedIn('sliding');
    const first = await current(opened.page);
    await opened.pass(7 * minute);
    await work(opened.page);
    return { ...opened, first };
  }

  it('the next token is asked for without a word while the person works, and works', async () => {
    const opened = await working();
    const { page, first } = opened;
    await approach(opened);
    await passUntil(opened, 'the next token', async () => (await current(page)) !== first);
    await check(page);
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    expect(count(opened, 'POST renew')).toBe(1);
    await work(page);
    expect(await leftOf(opened)).toBeGreaterThan(9 * minute);
  });

  it('a page where nobody works is warned and ends by the idle limit', async () => {
    const opened = await warned('sliding');
    await untilEnded(opened, idleEnd);
    expect(opened.calls).not.toContain('POST use');
    expect(opened.calls).not.toContain('POST renew');
  });

  it('a renewal that is refused is asked for once, and the end is announced', async () => {
    const opened = await working();
    const { page } = opened;
    await page.route('**/renew', (route) => route.fulfill({ status: 403, json: { error: 'forbidden' } }));
    await untilWarned(opened);
    expect(await warningIn(page).textContent()).toContain('Your access ends in');
    await opened.pass(30 * second);
    expect(count(opened, 'POST renew')).toBe(1);
    await untilEnded(opened, timeEnd);
  });

  it('a renewal that decides nothing is tried again, while the end is announced', async () => {
    const opened = await working();
    const { page, first } = opened;
    await page.route('**/renew', (route) => route.fulfill({ status: 503 }));
    await untilWarned(opened);
    await page.unroute('**/renew');
    await passUntil(opened, 'the next token', async () => (await current(page)) !== first);
    await warningIn(page).waitFor({ state: 'detached' });
  });

  it('a token that ends no later than the one before is asked for once', async () => {
    const opened = await working();
    const { page, first: accessToken } = opened;
    await page.route('**/renew', (route) => route.fulfill({ json: { accessToken } }));
    await untilWarned(opened);
    await opened.pass(30 * second);
    expect(count(opened, 'POST renew')).toBe(1);
  });
});
