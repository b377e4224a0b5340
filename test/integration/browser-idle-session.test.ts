/** The browser library in real Chromium, against the example app. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findingsIn } from '../support/axe-findings.js';
import { holdStatus, renewalsOf, secondsShown, warned, warningIn, withScript } from '../support/idle-page.js';
import { Pages } from '../support/pages.js';
import { until } from '../support/until.js';

const second = 1_000;
const minute = 60 * second;
let pages: Pages;
// Chromium may have to be installed.
beforeAll(async () => {
  pages = await Pages.begin();
}, 600_000);
afterEach(() => pages.closeContexts());
afterAll(() => pages.close());

const isLive = async (page: Page) => (await page.request.get(`${pages.url}/session/status`)).status() === 200;
const becomesVisible = (page: Page) => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");

test('the warning names the time that is left, and Escape keeps the person signed in', async () => {
  const { page, calls, pass } = await warned(pages);
  const title = /^\(0:2\d\) Dashboard$/;
  expect(await page.title()).toMatch(title);
  const before = await warningIn(page).textContent();
  expect(before).toMatch(/You will be signed out in 2\d seconds/);
  await pass(2 * second);
  expect(await warningIn(page).textContent()).not.toBe(before);
  expect(calls.filter((call) => call === 'POST renew')).toEqual([]);
  await page.keyboard.press('Escape');
  await warningIn(page).waitFor({ state: 'detached' });
  expect(await page.title()).toBe('Dashboard');
  await pass(90 * second);
  expect(await isLive(page)).toBe(true);
});

test('without an answer the person is signed out at the limit, the page is covered, and a link leads back', async () => {
  const { page, calls, pass } = await warned(pages, '/billing');
  await pass(26 * second);
  const cover = page.getByRole('dialog', { name: 'You were signed out: there was no input for a while.' });
  await cover.waitFor();
  expect(calls.at(-1)).toBe('GET status');
  expect(calls).not.toContain('POST renew');
  expect(await page.locator('main').isVisible()).toBe(false);
  const link = await cover.getByRole('link', { name: 'Sign in' }).getAttribute('href');
  expect(link).toBe(`${pages.url}/login?reason=idle&return_to=%2Fbilling`);
});

test('a machine that slept for an hour asks the server when the page is visible again, and renews nothing', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  pages.apps.aheadMs += 60 * minute;
  // No timer fires while the machine sleeps; its clock goes on.
  await page.clock.setSystemTime(Date.now() + 60 * minute);
  await becomesVisible(page);
  await page.getByRole('dialog', { name: /there was no input/ }).waitFor();
  expect(calls).not.toContain('POST renew');
});

test('a tab that was frozen past the limit shows nothing but the end when it is resumed, and renews nothing', async () => {
  const context = await pages.signedInWithRealTabs();
  const { page, calls } = await pages.open(context);
  await page.evaluate(`
    globalThis.lifecycle = [];
    for (const type of ['freeze', 'resume'])
      document.addEventListener(type, () => lifecycle.push(type + ', ' + document.visibilityState));
  `);
  const devTools = await context.newCDPSession(page);
  // Chromium freezes no tab that a person sees.
  const inFront = await context.newPage();
  await inFront.bringToFront();
  await until('the tab is hidden', () => page.evaluate<boolean>('document.hidden'));
  await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await until('the tab is frozen', () => page.evaluate<boolean>("lifecycle.includes('freeze, hidden')"));
  const before = calls.length;
  pages.apps.aheadMs += 60 * minute;
  await page.clock.setSystemTime(Date.now() + 60 * minute);
  const { asked, answer } = holdStatus(page);
  await page.bringToFront();
  await asked;
  expect(await page.evaluate('lifecycle')).toEqual(['freeze, hidden', expect.stringMatching(/^resume/)]);
  expect(await page.locator('main').isVisible()).toBe(false);
  answer();
  await page.getByRole('dialog', { name: /there was no input/ }).waitFor();
  expect(await page.locator('main').isVisible()).toBe(false);
  expect(calls.slice(before)).toEqual(['GET status']);
});

test('a page that was hidden until seven seconds before the limit says seven', async () => {
  const { page } = await pages.open(await pages.signedIn());
  const { idleEndsAt, now } = await (await page.request.get(`${pages.url}/session/status`)).json();
  const left = Date.parse(idleEndsAt) - Date.parse(now);
  pages.apps.aheadMs += left - 7 * second;
  await page.clock.setSystemTime(Date.now() + left - 7 * second);
  await becomesVisible(page);
  await warningIn(page).waitFor();
  expect(await warningIn(page).textContent()).toMatch(/signed out in [67] seconds/);
});

test.each([
  -120, 120,
])('a clock that is %i minutes off changes nothing of the time that is shown', async (minutes) => {
  const { page, pass } = await pages.open(await pages.signedIn(), '/dashboard', minutes * minute);
  const { idleEndsAt, now } = await (await page.request.get(`${pages.url}/session/status`)).json();
  const left = Date.parse(idleEndsAt) - Date.parse(now);
  await pass(left - 20 * second);
  await warningIn(page).waitFor();
  expect(Math.abs((await secondsShown(page)) - 20)).toBeLessThanOrEqual(2);
});

test('input renews once in its window, as of the input, and a page without input renews nothing', async () => {
  const opened = await pages.open(await pages.signedIn());
  const { page, calls, pass } = opened;
  await pass(30 * second);
  expect(calls).not.toContain('POST renew');
  const renewals = () => renewalsOf(opened);
  const renewed = page.waitForResponse('**/session/renew');
  await page.keyboard.press('a');
  await page.clock.runFor(2 * second);
  expect((await renewed).request().postDataJSON()).toMatchObject({ path: '/dashboard' });
  await page.evaluate('session.check()');
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('b');
  await page.clock.runFor(second);
  expect(renewals()).toBe(1);
  await until('the rest of the input is told', async () => {
    await page.clock.runFor(second);
    return renewals() === 2;
  });
  await page.clock.runFor(20 * second);
  expect(renewals()).toBe(2);
});

test('a script that dispatches events is no presence', async () => {
  const { page, calls, pass } = await pages.open(await pages.signedIn());
  await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))");
  await pass(30 * second);
  expect(calls).not.toContain('POST renew');
});

test('a sign-out in one of three tabs reaches the others, by one call and one navigation each', async () => {
  const context = await pages.signedIn();
  const opened = [
    await pages.open(context),
    await pages.open(context, '/billing'),
    await pages.open(context, '/upload'),
  ];
  const navigations = opened.map(({ page }) => {
    const seen: string[] = [];
    page.on('framenavigated', (frame) => seen.push(new URL(frame.url()).pathname));
    return seen;
  });
  await opened[0]?.page.getByRole('button', { name: 'Sign out' }).click();
  for (const { page } of opened) await page.waitForURL('**/login?reason=signed_out*');
  expect(navigations).toEqual([['/login'], ['/login'], ['/login']]);
  expect(opened.flatMap(({ calls }) => calls).filter((call) => call === 'POST sign-out')).toHaveLength(1);
});

test('a sign-out completes where storage throws and there is no BroadcastChannel', async () => {
  const context = await pages.signedIn((prepared) =>
    prepared.addInitScript(() => {
      Reflect.deleteProperty(globalThis, 'BroadcastChannel');
      Storage.prototype.setItem = () => {
        throw new Error('storage is full');
      };
    }),
  );
  const { page } = await pages.open(context);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login?reason=signed_out*');
});

test('a sign-out that the server does not take is tried again, and the page is covered meanwhile', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.route('**/session/sign-out', (route) =>
    route.fulfill({ status: 503, json: { error: 'unavailable' } }),
  );
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog', { name: 'The server cannot be reached. Please wait.' }).waitFor();
  await page.unroute('**/session/sign-out');
  await page.clock.runFor(5 * second);
  await page.waitForURL('**/login?reason=signed_out*');
  expect(calls.filter((call) => call === 'POST sign-out').length).toBeGreaterThan(1);
});

test('a tab where the person works keeps another one from ending', async () => {
  const context = await pages.signedIn();
  const [active, other] = [await pages.open(context), await pages.open(context)];
  await active.page.bringToFront();
  await until('the tab is in front', () => active.page.evaluate<boolean>('!document.hidden'));
  for (let round = 0; round < 4; round += 1) {
    for (const { page } of [active, other]) await page.clock.runFor(60 * second);
    pages.apps.aheadMs += 60 * second;
    const before = renewalsOf(active);
    // The person goes on working. Input counts in the tab that is in front, and is told once a window.
    await until('the renewal', async () => {
      await active.page.keyboard.press('a');
      await active.page.clock.runFor(second);
      return renewalsOf(active) > before;
    });
    // Both have taken what they were told before more time goes by.
    for (const { page } of [active, other]) await page.evaluate('session.check()');
  }
  expect(await other.page.getByRole('dialog').count()).toBe(0);
  expect(await isLive(other.page)).toBe(true);
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

test.each([
  ['an outage', 503, 'application/json', '{"error":"unavailable"}'],
  ['a page of a proxy', 200, 'text/html', '<h1>hello</h1>'],
  ['an answer without times', 200, 'application/json', '{"state":"live"}'],
])('%s signs nobody out: the page is covered when its time is over, and shown when the server answers', async (_what, status, contentType, body) => {
  const { page, pass } = await pages.open(await pages.signedIn());
  await page.route('**/session/status*', (route) => route.fulfill({ status, contentType, body }));
  await pass(2 * minute);
  await page.getByRole('dialog', { name: 'The server cannot be reached. Please wait.' }).waitFor();
  // The server's clock is back, so the session is live by its word.
  pages.apps.aheadMs = 0;
  await page.unroute('**/session/status*');
  await page.clock.runFor(30 * second);
  await page.locator('main').waitFor({ state: 'visible' });
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

test('the warning lies above a modal that the app opens afterwards, and comes back when the app takes it out', async () => {
  const { page } = await warned(pages);
  await page.evaluate(`
    const modal = document.createElement('dialog');
    modal.textContent = 'of the app';
    document.body.append(modal);
    modal.showModal();
  `);
  const stay = page.getByRole('button', { name: 'Stay signed in' });
  // A click is only possible on what lies on top.
  await stay.click({ trial: true });
  await page.evaluate('document.documentElement.lastElementChild.remove()');
  await stay.click();
  await warningIn(page).waitFor({ state: 'detached' });
});

test('the warning has no findings by axe-core', async () => {
  const { page } = await warned(pages);
  await page.clock.resume();
  expect(await findingsIn(page)).toEqual([]);
});

test('the time that is left is spoken five times at most, and ticks unheard', async () => {
  const { page, pass } = await warned(pages);
  await page.evaluate(`
    const spoken = document.documentElement.lastElementChild.shadowRoot.querySelector('[aria-live]');
    globalThis.heard = [];
    new MutationObserver(() => heard.push(spoken.textContent)).observe(spoken, { childList: true });
  `);
  for (let tick = 0; tick < 20; tick += 1) await pass(second);
  const heard = await page.evaluate<string[]>('heard');
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.length).toBeLessThanOrEqual(3);
});

test('an upload is held for longer than the limit, and the idle time counts again afterwards', async () => {
  const { page, calls, pass } = await pages.open(await pages.signedIn(), '/upload');
  await page.getByRole('button', { name: 'Upload for five minutes' }).click();
  for (let step = 0; step < 60; step += 1) {
    const beats = calls.filter((call) => call === 'POST lease').length;
    await pass(5 * second);
    if (step % 3 === 2)
      await until('a beat', () => calls.filter((call) => call === 'POST lease').length > beats - 1);
  }
  await page.getByText('done').waitFor();
  await until('the release', () => calls.includes('DELETE lease'));
  expect(await isLive(page)).toBe(true);
  expect(await page.getByRole('alertdialog').count()).toBe(0);
});

test('a limit of 2^32 + 5,000 ms makes nothing happen within a day', async () => {
  const { page, calls } = await pages.open(await pages.signedIn(), '/dashboard', 0);
  const limit = 2 ** 32 + 5_000;
  const now = Date.now();
  const at = (ms: number) => new Date(now + ms).toISOString();
  const state = {
    ...{
      state: 'live',
      now: at(0),
      idleEndsAt: at(limit),
      absoluteEndsAt: at(2 * limit),
      idleMs: limit,
      rule: 'idle',
    },
    ...{ warnBeforeMs: 60_000, renewal: 'presence', renewEveryMs: 60_000, leaseBeatMs: 60_000 },
  };
  await page.route('**/session/status*', (route) => route.fulfill({ json: state }));
  await page.evaluate('session.check()');
  const before = calls.length;
  await page.clock.runFor(24 * 60 * minute);
  expect(calls).toHaveLength(before);
  expect(await page.getByRole('alertdialog').count()).toBe(0);
});

test('a clock that is set back during the countdown does not stop it', async () => {
  const { page, pass } = await warned(pages);
  const before = await secondsShown(page);
  await page.clock.setSystemTime(Date.now() - 120 * minute);
  await pass(5 * second);
  expect(Math.abs(before - 5 - (await secondsShown(page)))).toBeLessThanOrEqual(1);
});

test.each([
  [
    'the web component',
    `import { defineIdleSessionElement } from './element.js';
     defineIdleSessionElement();
     const element = document.createElement('dormouse-idle-session');
     element.setAttribute('sign-in-url', '/login');
     document.body.append(element);
     globalThis.session = { check: () => element.session.check() };
     globalThis.leave = () => element.remove();`,
  ],
  [
    'the component for React',
    `import { StrictMode } from 'react';
     import { createRoot } from 'react-dom/client';
     import { useIdleSession } from './react.js';
     function App() {
       const session = useIdleSession({ signInUrl: '/login' });
       globalThis.session = { check: () => session.current?.check() };
       return null;
     }
     const root = createRoot(document.body.appendChild(document.createElement('div')));
     root.render(<StrictMode><App /></StrictMode>);
     globalThis.leave = () => root.unmount();`,
  ],
])('%s warns while it is in the page, and leaves nothing behind', async (_what, source) => {
  const { page, pass, calls } = await withScript(pages, source);
  await page.clock.runFor(100);
  await page.evaluate('session.check()');
  await pass(96 * second);
  await warningIn(page).waitFor();
  await page.evaluate('leave()');
  await page.clock.runFor(100);
  await warningIn(page).waitFor({ state: 'detached' });
  expect(await page.title()).toBe('Dashboard');
  const before = calls.length;
  await pass(10 * minute);
  expect(calls).toHaveLength(before);
});

test('input in a frame of the same origin, which was added later, is presence', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.evaluate(
    "document.body.append(Object.assign(document.createElement('iframe'), { srcdoc: '<input>' }))",
  );
  await page.frameLocator('iframe').locator('input').press('a');
  await until('a renewal', async () => {
    await page.clock.runFor(second);
    return calls.includes('POST renew');
  });
});

test.each([
  ['of an origin that the app names', '[location.origin]', 1],
  ['of another origin', "['https://evil.example']", 0],
])('a message %s reports input', async (_what, origins, renewals) => {
  const { page, calls } = await withScript(
    pages,
    `
    import { startIdleSession } from './index.js';
    globalThis.session = startIdleSession({ frameOrigins: ${origins} });`,
  );
  // Messages arrive in their order: the answer to the second one says that the first was heard.
  await page.evaluate(`new Promise((heard) => {
    addEventListener('message', ({ data }) => data === 'last' && heard());
    postMessage({ type: 'dormouse:presence' }, '*');
    postMessage('last', '*');
  })`);
  const renewed = page.waitForResponse('**/session/renew', { timeout: 30_000 });
  renewed.catch(() => undefined);
  await page.clock.runFor(2 * second);
  if (renewals > 0) await renewed;
  await page.evaluate('session.check()');
  expect(calls.filter((call) => call === 'POST renew')).toHaveLength(renewals);
});

test('two starts on one page are an error that names the way out', async () => {
  const { page } = await pages.open(await pages.signedIn());
  await expect(page.evaluate('Dormouse.startIdleSession()')).rejects.toThrow(
    /runs already. Call stop\(\) first/,
  );
});

test('an outage before the warning does not keep it from being shown, and the page is covered at zero', async () => {
  const { page, pass } = await pages.open(await pages.signedIn());
  await page.route('**/session/status*', (route) => route.abort());
  // The failure is known, so only the countdown is left.
  await page.evaluate('session.check()');
  await pass(96 * second);
  await warningIn(page).waitFor();
  const before = await warningIn(page).textContent();
  await pass(3 * second);
  expect(await warningIn(page).textContent()).not.toBe(before);
  await pass(26 * second);
  await page.getByRole('dialog', { name: 'The server cannot be reached. Please wait.' }).waitFor();
});

test('an answer to the warning that does not reach the server is told again', async () => {
  const opened = await warned(pages);
  const { page } = opened;
  await page.route('**/session/renew', (route) => route.abort());
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await until('the first try', () => renewalsOf(opened) === 1);
  await page.unroute('**/session/renew');
  await until('the next try', async () => {
    await page.clock.runFor(second);
    return renewalsOf(opened) > 1;
  });
  await warningIn(page).waitFor({ state: 'detached' });
});

test.each([
  ['30', 30],
  ['99999999999', 60],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 1],
])('an outage with "Retry-After: %s" is asked about after %i seconds', async (retryAfter, wait) => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.route('**/session/status*', (route) =>
    route.fulfill({ status: 503, headers: { 'retry-after': retryAfter }, json: { error: 'unavailable' } }),
  );
  await page.evaluate('session.check()');
  const before = calls.length;
  await page.clock.runFor(wait * second - 100);
  expect(calls).toHaveLength(before);
  await page.clock.runFor(100);
  await until('the next question', () => calls.length === before + 1);
});

test('a page where nobody is signed in shows nothing and goes nowhere', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.context().clearCookies();
  await page.route('**/billing', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<title>Public</title><main>Welcome</main><script src="/dormouse.js"></script><script src="/start.js"></script>',
    }),
  );
  await page.route('**/start.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: "globalThis.session = Dormouse.startIdleSession({ signInUrl: '/login' })",
    }),
  );
  await page.goto(`${pages.url}/billing`);
  await page.evaluate('session.check()');
  expect(calls.at(-1)).toBe('GET status');
  await page.clock.runFor(10 * minute);
  expect(new URL(page.url()).pathname).toBe('/billing');
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(await page.locator('main').isVisible()).toBe(true);
});

test('the way back never leads to another host', async () => {
  const { page, pass } = await pages.open(await pages.signedIn());
  await page.evaluate("history.pushState(null, '', location.origin + '//evil.example/')");
  await pass(3 * minute);
  const link = page.getByRole('dialog').getByRole('link', { name: 'Sign in' });
  expect(await link.getAttribute('href')).toContain('return_to=%2Fevil.example%2F');
});

test('a slow answer shows too little time, never too much', async () => {
  const { page } = await pages.open(await pages.signedIn());
  const { asked, answer } = holdStatus(page);
  const checked = page.evaluate('session.check()');
  await asked;
  await page.clock.runFor(8 * second);
  answer();
  await checked;
  await page.unroute('**/session/status*');
  await page.clock.runFor(91 * second);
  expect(await secondsShown(page)).toBeLessThanOrEqual(22);
});

test('an answer that took longer than what was left is followed by another question', async () => {
  const { page, pass } = await pages.open(await pages.signedIn());
  await pass(2 * minute - 5 * second);
  const { asked, answer } = holdStatus(page);
  const checked = page.evaluate('session.check()');
  await asked;
  // Past the end by the page's own count, and before its question is given up.
  await page.clock.runFor(8 * second);
  expect(await page.locator('main').isVisible()).toBe(false);
  answer();
  await checked;
  await page.locator('main').waitFor({ state: 'visible' });
});

test('an answer that a renewal has overtaken does not bring the warning back', async () => {
  const opened = await warned(pages);
  const { page } = opened;
  const { asked, answer } = holdStatus(page);
  const checked = page.evaluate('session.check()');
  await asked;
  await page.clock.runFor(100);
  pages.apps.aheadMs += 100;
  await page.keyboard.press('Escape');
  await warningIn(page).waitFor({ state: 'detached' });
  answer();
  await checked;
  expect(await warningIn(page).count()).toBe(0);
});

test('input from before a sleep is told with its age', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.keyboard.press('a');
  // The sleep comes before the input was told. Only the machine's clock goes on.
  await page.clock.setSystemTime((await page.evaluate<number>('Date.now()')) + 60 * minute);
  const renewed = page.waitForRequest('**/session/renew');
  await until('the renewal', async () => {
    await page.clock.runFor(second);
    return calls.includes('POST renew');
  });
  expect((await renewed).postDataJSON().idleForMs).toBeGreaterThanOrEqual(60 * minute);
});

test('two operations share one beat, and the last one ends the lease', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  const counted = (call: string) => calls.filter((one) => one === call).length;
  await page.evaluate(`
    globalThis.ends = [];
    globalThis.works = [0, 1].map(() => session.hold(() => new Promise((end) => ends.push(end))));
  `);
  await until('the first beat', () => counted('POST lease') === 1);
  await page.evaluate('ends[0](), works[0]');
  expect(counted('DELETE lease')).toBe(0);
  await page.evaluate('ends[1](), works[1]');
  await until('the release', () => counted('DELETE lease') === 1);
  expect(counted('POST lease')).toBe(1);
});

test('a library that was stopped beats no more', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.evaluate('void session.hold(new Promise(() => {}))');
  await until('the first beat', () => calls.includes('POST lease'));
  await page.evaluate('session.check()');
  await page.evaluate('session.stop()');
  const before = calls.length;
  await page.clock.runFor(10 * minute);
  expect(calls).toHaveLength(before);
});

test('an onEnd that throws does not keep the person from signing in again', async () => {
  const { page } = await withScript(
    pages,
    `
    import { startIdleSession } from './index.js';
    globalThis.session = startIdleSession({ signInUrl: '/login', onEnd() { throw new Error('a mistake of the app'); } });`,
  );
  await page.evaluate('session.signOut()').catch(() => undefined);
  await page.waitForURL('**/login?reason=signed_out*');
});

test('input in a frame within a frame, which was added later, is presence', async () => {
  const { page, calls } = await pages.open(await pages.signedIn());
  await page.evaluate(`new Promise((ready) => {
    const outer = Object.assign(document.createElement('iframe'), { srcdoc: '<p>outer</p>' });
    outer.onload = () => {
      const inner = outer.contentDocument.createElement('iframe');
      inner.srcdoc = '<input>';
      inner.onload = ready;
      outer.contentDocument.body.append(inner);
    };
    document.body.append(outer);
  })`);
  await page.frameLocator('iframe').frameLocator('iframe').locator('input').press('a');
  await until('a renewal', async () => {
    await page.clock.runFor(second);
    return calls.includes('POST renew');
  });
});

test('a page that comes back from the back/forward cache after the end shows nothing but the end', async () => {
  const { page } = await pages.open(await pages.signedIn(), '/billing');
  // The example forbids storing its pages; an app that does not has to hide them all the same.
  await page.route('**/dashboard', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'cache-control': 'private' } });
  });
  await page.goto(`${pages.url}/dashboard`);
  await page.evaluate('session.check()');
  await page.evaluate(
    "addEventListener('pageshow', ({ persisted }) => { globalThis.persisted = persisted })",
  );
  await page.goto(`${pages.url}/login`);
  pages.apps.aheadMs += 60 * minute;
  await page.evaluate('history.back()');
  await page.getByRole('dialog', { name: /there was no input/ }).waitFor();
  expect(await page.evaluate('persisted')).toBe(true);
  expect(await page.locator('main').isVisible()).toBe(false);
});
