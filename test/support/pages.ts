/** The example app in a real browser: real Kratos and PostgreSQL, and the clocks of server and page in the test's hands. */
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core';
import { inject } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { type IdleSessionsExample, loadExample } from './examples.js';
import { closedPort } from './fault-tcp.js';
import { GuardedApps, minute } from './guarded-apps.js';
import { until } from './until.js';

export class Pages {
  private contexts: BrowserContext[] = [];
  private browsers: Browser[] = [];

  private constructor(
    readonly apps: GuardedApps,
    readonly url: string,
    private readonly browser: Browser,
    private readonly closeApp: () => Promise<unknown>,
  ) {}

  /** @param launch Default: Chromium */
  static async begin(launch = async () => launchChromium(await ensureChromium())): Promise<Pages> {
    const browser = await launch();
    const apps = await GuardedApps.begin();
    const { createExample } = await loadExample<IdleSessionsExample>('idle-sessions');
    const app = await createExample({
      postgresUrl: apps.appUrl,
      kratos: inject('stack').kratos,
      clock: apps.now,
      // A busy machine is no outage.
      ...{ verifyTimeoutMs: 20_000, staleMs: 20_000 },
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return new Pages(apps, url, browser, () => app.close());
  }

  /** A browser of its own in which a new person is signed in. @param prepare before any page is loaded */
  async signedIn(
    prepare: (context: BrowserContext) => Promise<unknown> = async () => {},
  ): Promise<BrowserContext> {
    const context = await this.browser.newContext({ reducedMotion: 'reduce' });
    this.contexts.push(context);
    await this.signIn(context);
    await prepare(context);
    return context;
  }

  /**
   * A browser of its own in which a new person is signed in, and whose tabs are hidden while another one is in front, as a person's are.
   * (Playwright makes all tabs of its own contexts visible.)
   */
  async signedInWithRealTabs(): Promise<BrowserContext> {
    const port = await closedPort();
    const url = `http://127.0.0.1:${port}`;
    this.browsers.push(await launchChromium(await ensureChromium(), [`--remote-debugging-port=${port}`]));
    await until('Chromium listens', () => fetch(`${url}/json/version`).then(Boolean, () => false));
    const { 0: context } = (await chromium.connectOverCDP(url, { noDefaults: true })).contexts();
    if (context === undefined) throw new Error('Chromium has no window');
    await this.signInByForm(context);
    return context;
  }

  /** By the request that the form makes: a page less for each test. */
  private async signIn(context: BrowserContext): Promise<void> {
    const { identifier, password } = await this.apps.people.create('browser');
    const form = { identifier, password };
    const answer = await context.request.post(`${this.url}/login`, { form, maxRedirects: 0 });
    if (answer.headers().location !== '/dashboard') throw new Error('the sign-in was refused');
  }

  private async signInByForm(context: BrowserContext): Promise<void> {
    const page = await context.newPage();
    await page.goto(`${this.url}/login`);
    await this.signInAt(page);
    await page.waitForURL('**/dashboard');
    await page.close();
  }

  /** Fills in the form of the page for a new person. */
  async signInAt(page: Page): Promise<void> {
    const person = await this.apps.people.create('browser');
    await page.getByLabel('E-mail').fill(person.identifier);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Opens a page whose timers stand still until the test moves them. @param aheadMs how wrong the machine's clock is */
  async open(context: BrowserContext, path = '/dashboard', aheadMs = 0): Promise<Opened> {
    const page = await context.newPage();
    const calls: string[] = [];
    page.on('request', (request: Request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/session/'))
        calls.push(`${request.method()} ${pathname.slice('/session/'.length)}`);
    });
    // The page's time stands still from the beginning, however slow the machine is.
    const time = Date.now() + aheadMs;
    await page.clock.install({ time: time - minute });
    await page.clock.pauseAt(time);
    await page.goto(this.url + path);
    // Until the library has taken the first answer.
    await page.evaluate('session.check()');
    return { page, calls, pass: (ms) => this.pass(page, ms) };
  }

  async closeContexts(): Promise<void> {
    for (const context of this.contexts.splice(0)) await context.close();
    for (const browser of this.browsers.splice(0)) await browser.close();
    this.apps.aheadMs = 0;
  }

  async close(): Promise<void> {
    await this.closeContexts();
    await this.browser.close();
    await this.closeApp();
    await this.apps.close();
  }

  /** Time goes by, on the server and in the page; each timer fires when it is due. */
  private async pass(page: Page, ms: number): Promise<void> {
    this.apps.aheadMs += ms;
    await page.clock.runFor(ms);
  }
}

export interface Opened {
  readonly page: Page;
  /** Calls to the guard's routes so far, such as `POST renew`. */
  readonly calls: string[];
  /** Lets time go by on the server and in this page. */
  pass(ms: number): Promise<void>;
}
