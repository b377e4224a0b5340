/** What the browser library does with what a person wrote, and the words and styles that an app gives it, in real Chromium. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { warned, warningIn, withScript } from '../support/idle-page.js';
import { Pages } from '../support/pages.js';
import { until } from '../support/until.js';

const second = 1_000;
let pages: Pages;
// Chromium may have to be installed.
beforeAll(async () => {
  pages = await Pages.begin();
}, 600_000);
afterEach(() => pages.closeContexts());
afterAll(() => pages.close());

const draftIn = (page: Page) => page.getByLabel('A draft');

describe('a draft', () => {
  test('that was typed before the idle end is in the page after the next sign-in, where the person was', async () => {
    const context = await pages.signedIn();
    const { page, pass } = await pages.open(context, '/billing');
    await draftIn(page).evaluate((field) => Object.assign(field, { value: 'dear all' }));
    await pass(62 * second);
    const cover = page.getByRole('dialog', { name: 'You were signed out: there was no input for a while.' });
    await cover.waitFor();
    await cover.getByRole('link', { name: 'Sign in' }).click();
    await page.waitForURL('**/login?*');
    expect(await page.getByText('What you typed is kept in this browser').isVisible()).toBe(true);
    // Kratos has no clock of the test's: by its own the sign-in would lie in the past.
    pages.apps.aheadMs = 0;
    await pages.signInAt(page);
    await page.waitForURL('**/billing');
    expect(await draftIn(page).inputValue()).toBe('dear all');
  });

  test('is saved in every tab before a sign-out in one of them leaves the page', async () => {
    const context = await pages.signedIn();
    const other = await pages.open(context, '/admin');
    const { page } = await pages.open(context);
    await draftIn(other.page).evaluate((field) => Object.assign(field, { value: 'of the other tab' }));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await other.page.waitForURL('**/login?*');
    await page.waitForURL('**/login?*');
    expect(await page.evaluate("localStorage.getItem('example/draft')")).toBe('of the other tab');
  });

  test('whose saving hangs keeps nobody signed in: the sign-out goes on after two seconds', async () => {
    const { page, calls } = await withScript(
      pages,
      `import { startIdleSession } from './index.js';
       globalThis.reasons = [];
       globalThis.session = startIdleSession({
         signInUrl: '/login',
         onBeforeSignOut: (reason) => { reasons.push(reason); return new Promise(() => {}); },
       });`,
    );
    await page.evaluate('void session.signOut()');
    await until('the hook runs', async () => (await page.evaluate<string[]>('reasons')).length > 0);
    expect(await page.evaluate('reasons')).toEqual(['signed_out']);
    await page.clock.runFor(1_999);
    expect(calls).not.toContain('POST sign-out');
    await page.clock.runFor(1);
    await page.waitForURL('**/login?*');
    expect(calls.filter((call) => call === 'POST sign-out')).toHaveLength(1);
  });

  test('whose saving fails is no obstacle, and an end by time is told with its reason', async () => {
    const { page, pass } = await withScript(
      pages,
      `import { startIdleSession } from './index.js';
       globalThis.reasons = [];
       globalThis.session = startIdleSession({
         signInUrl: '/login',
         onBeforeSignOut: (reason) => { reasons.push(reason); throw new Error('the disk is full'); },
       });`,
    );
    await page.evaluate('session.check()');
    await pass(122 * second);
    await page.getByRole('dialog', { name: /there was no input/ }).waitFor();
    expect(await page.evaluate('reasons')).toEqual(['idle']);
  });
});

test('texts in German are shown and marked as German', async () => {
  const { page, pass } = await withScript(
    pages,
    `import { startIdleSession } from './index.js';
     import { german } from './de.js';
     globalThis.session = startIdleSession({ signInUrl: '/login', texts: german });`,
  );
  await page.evaluate('session.check()');
  await pass(96 * second);
  const warning = page.getByRole('alertdialog', { name: 'Sind Sie noch da?' });
  expect(await warning.textContent()).toMatch(/Sie werden in 2\d Sekunden abgemeldet/);
  expect(await warning.getAttribute('lang')).toBe('de');
  expect(await warning.getByRole('button').allTextContents()).toEqual([
    'Angemeldet bleiben',
    'Jetzt abmelden',
  ]);
});

test('an app styles the warning by parts and custom properties, and nothing in it moves', async () => {
  const { page } = await warned(pages);
  // The page's policy allows no inline style.
  await page.evaluate(`
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(':root { --dormouse-background: rgb(1, 2, 3) } div::part(stay) { color: rgb(4, 5, 6) }');
    document.adoptedStyleSheets.push(sheet);
  `);
  const dialog = warningIn(page);
  const styleOf = (property: string, of = dialog) =>
    of.evaluate((element, name) => {
      const view = element.ownerDocument.defaultView;
      return view?.getComputedStyle(element).getPropertyValue(name);
    }, property);
  expect(await styleOf('background-color')).toBe('rgb(1, 2, 3)');
  const stay = page.getByRole('button', { name: 'Stay signed in' });
  expect(await styleOf('color', stay)).toBe('rgb(4, 5, 6)');
  // Also for people who did not ask for reduced motion.
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await dialog.evaluate((element) => element.getAnimations({ subtree: true }).length)).toBe(0);
  expect([await styleOf('animation-name'), await styleOf('transition-duration')]).toEqual(['none', '0s']);
});
