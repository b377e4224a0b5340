/** The core of the browser library in Firefox as Debian has it, against the example app. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ensureFirefox, launchFirefox } from '../../dev/browser/firefox.js';
import { holdStatus, renewalsOf, secondsShown, warned, warningIn } from '../support/idle-page.js';
import { Pages } from '../support/pages.js';
import { until } from '../support/until.js';

const second = 1_000;
const minute = 60 * second;
// May have to be installed.
const program = await ensureFirefox();
if (program === undefined) {
  console.warn(
    'The tests in Firefox are skipped: there is none, and to install it takes root, apt-get and a package firefox-esr',
  );
}

describe.skipIf(program === undefined)('in Firefox', () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await Pages.begin(() => launchFirefox(program ?? ''));
  });
  afterEach(() => pages.closeContexts());
  afterAll(() => pages.close());

  /** What is left by the server's word, milliseconds. */
  const leftOf = async (page: Page) => {
    const { idleEndsAt, now } = await (await page.request.get(`${pages.url}/session/status`)).json();
    return Date.parse(idleEndsAt) - Date.parse(now);
  };

  test('Escape answers the warning, and keeps the person signed in', async () => {
    const opened = await warned(pages);
    const { page, pass } = opened;
    expect(renewalsOf(opened)).toBe(0);
    await page.keyboard.press('Escape');
    await warningIn(page).waitFor({ state: 'detached' });
    expect(renewalsOf(opened)).toBe(1);
    await pass(90 * second);
    expect(await leftOf(page)).toBeGreaterThan(0);
  });

  test('without an answer the page is covered at the limit, the server is asked, and nothing is renewed', async () => {
    const opened = await warned(pages, '/billing');
    await opened.pass(26 * second);
    const end = opened.page.getByRole('dialog', { name: /^You were signed out: there was no input/ });
    await end.waitFor();
    expect(opened.calls.at(-1)).toBe('GET status');
    expect(renewalsOf(opened)).toBe(0);
    expect(await opened.page.locator('main').isVisible()).toBe(false);
    const link = await end.getByRole('link', { name: 'Sign in' }).getAttribute('href');
    expect(link).toBe(`${pages.url}/login?reason=idle&return_to=%2Fbilling`);
  });

  test('a sign-out reaches a second tab, by one call', async () => {
    const context = await pages.signedIn();
    const [one, other] = [await pages.open(context), await pages.open(context, '/billing')];
    await one.page.getByRole('button', { name: 'Sign out' }).click();
    for (const { page } of [one, other]) await page.waitForURL('**/login?reason=signed_out*');
    const calls = [...one.calls, ...other.calls].filter((call) => call === 'POST sign-out');
    expect(calls).toHaveLength(1);
  });

  test.each([
    0, -120, 120,
  ])('the warning says the seconds that the server says, with a clock that is %i minutes off', async (minutes) => {
    const { page, pass } = await pages.open(await pages.signedIn(), '/dashboard', minutes * minute);
    await pass((await leftOf(page)) - 20 * second);
    await warningIn(page).waitFor();
    expect(Math.abs((await secondsShown(page)) - 20)).toBeLessThanOrEqual(2);
  });

  test('a machine that slept for an hour asks the server, and renews nothing', async () => {
    const opened = await pages.open(await pages.signedIn());
    const { page } = opened;
    pages.apps.aheadMs += 60 * minute;
    await page.clock.setSystemTime(Date.now() + 60 * minute);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByRole('dialog', { name: /there was no input/ }).waitFor();
    expect(renewalsOf(opened)).toBe(0);
  });

  test('a key that is pressed renews, in a frame as well, and a script that dispatches events does not', async () => {
    const opened = await pages.open(await pages.signedIn());
    const { page } = opened;
    await page.evaluate(`new Promise((ready) => {
      const frame = Object.assign(document.createElement('iframe'), { srcdoc: '<input>' });
      frame.onload = ready;
      document.body.append(frame);
    })`);
    await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))");
    await page.clock.runFor(30 * second);
    expect(renewalsOf(opened)).toBe(0);
    await page.frameLocator('iframe').locator('input').press('a');
    await until('a renewal', async () => {
      await page.clock.runFor(second);
      return renewalsOf(opened) === 1;
    });
  });

  test('the keyboard alone reaches both answers, and stays in the dialog', async () => {
    const { page } = await warned(pages);
    const focused = () =>
      page.evaluate(
        'document.activeElement.shadowRoot?.activeElement?.textContent ?? document.activeElement.tagName',
      );
    expect(await focused()).toBe('Stay signed in');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Sign out now');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/login?reason=signed_out*');
  });

  test('a page from the back/forward cache hides its content until the server answered', async () => {
    const { page } = await pages.open(await pages.signedIn());
    const { asked, answer } = holdStatus(page);
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await asked;
    expect(await page.locator('main').isVisible()).toBe(false);
    answer();
    await page.locator('main').waitFor({ state: 'visible' });
  });
});
