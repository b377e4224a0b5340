/** The example of inactive tokens in a real browser: real Kratos and PostgreSQL, and the clocks of server and page in the test's hands. */
import { randomBytes } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { inject } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { OryPeople, type Person } from '../../dev/demo/ory-people.js';
import { type InactiveTokensExample, loadExample } from './examples.js';
import { minute, TokenApps } from './token-apps.js';

export type Mode = 'fixed' | 'sliding';

export interface OpenedPage {
  readonly page: Page;
  readonly person: Person;
  /** Calls to the guard's routes and to the renewal so far, such as `POST use`. */
  readonly calls: string[];
  /** Lets time go by on the server and in this page. */
  pass(ms: number): Promise<void>;
}

export class TokenPages {
  private readonly contexts: BrowserContext[] = [];
  private readonly people = new OryPeople(inject('stack'));

  private constructor(
    readonly apps: TokenApps,
    readonly urls: Readonly<Record<Mode, string>>,
    private readonly browser: Browser,
    private readonly closeExamples: () => Promise<unknown>,
  ) {}

  static async begin(): Promise<TokenPages> {
    const browser = await launchChromium(await ensureChromium());
    const apps = await TokenApps.begin();
    const { createExample } = await loadExample<InactiveTokensExample>('inactive-tokens');
    const start = (sliding: boolean) =>
      createExample({
        ...{ postgresUrl: apps.database.appUrl, clock: apps.now, secret: randomBytes(32), sliding },
        // A busy machine is no outage.
        staleMs: 20_000,
        kratosPublicUrl: inject('stack').kratos.publicUrl,
      });
    const examples = [await start(false), await start(true)] as const;
    const [fixed, sliding] = [
      await examples[0].listen({ host: '127.0.0.1', port: 0 }),
      await examples[1].listen({ host: '127.0.0.1', port: 0 }),
    ];
    return new TokenPages(apps, { fixed, sliding }, browser, () =>
      Promise.all(examples.map((example) => example.close())),
    );
  }

  async newContext(): Promise<BrowserContext> {
    const context = await this.browser.newContext({ reducedMotion: 'reduce' });
    this.contexts.push(context);
    return context;
  }

  /** Opens the page, whose timers stand still until the test moves them. @param aheadMs how wrong the machine's clock is */
  async open(mode: Mode, { context, path = '/', aheadMs = 0 }: OpenOptions = {}): Promise<OpenedPage> {
    const page = await (context ?? (await this.newContext())).newPage();
    const calls: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/token/') || pathname === '/renew') {
        calls.push(`${request.method()} ${pathname.replace(/^\/(token\/)?/, '')}`);
      }
    });
    const time = Date.now() + aheadMs;
    await page.clock.install({ time: time - minute });
    await page.clock.pauseAt(time);
    await page.goto(this.urls[mode] + path);
    return { page, calls, person: await this.people.create('page'), pass: (ms) => this.pass(page, ms) };
  }

  /** Opens the page, and signs a new person in by its form. */
  async signedIn(mode: Mode, options?: OpenOptions): Promise<OpenedPage> {
    const opened = await this.open(mode, options);
    await this.signIn(opened.page, opened.person);
    return opened;
  }

  async signIn(page: Page, { identifier, password }: Person): Promise<void> {
    await page.getByLabel('E-mail').fill(identifier);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    // Until the library has taken the first answer.
    await page.getByText('Signed in.').waitFor();
  }

  /** A token of a sign-in of the person's, without a page. */
  async tokenOf(mode: Mode, { identifier, password }: Person): Promise<string> {
    const answer = await fetch(`${this.urls[mode]}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier, password }),
    });
    return ((await answer.json()) as { accessToken: string }).accessToken;
  }

  async closeContexts(): Promise<void> {
    for (const context of this.contexts.splice(0)) await context.close();
    this.apps.aheadMs = 0;
  }

  async close(): Promise<void> {
    await this.closeContexts();
    await this.browser.close();
    await this.closeExamples();
    await this.apps.close();
  }

  private async pass(page: Page, ms: number): Promise<void> {
    this.apps.aheadMs += ms;
    await page.clock.runFor(ms);
  }
}

export interface OpenOptions {
  readonly context?: BrowserContext;
  readonly path?: string;
  readonly aheadMs?: number;
}
