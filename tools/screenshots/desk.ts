/**
 * `npm run screenshots:desk`: takes the pictures of docs/desk.md from a running stack. To be prepared with `npm run demo -- --keep`, and
 * `npm run dormouse -- breaker trip all --operators 2 --reason 'drill of the month'`. With a directory as argument: of every page, at three
 * widths, light and dark, to be looked at.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { readRunningStack } from '../../dev/stack/index.js';
import { projectDirectory } from '../../dev/stack/project.js';

const [directory] = process.argv.slice(2);
const stack = await readRunningStack(join(projectDirectory, '.stack'));
if (stack === undefined) throw new Error('no stack runs. Start one: npm run demo -- --keep');
const { url } = stack.gateway;
const target = directory ?? join(projectDirectory, 'docs', 'images');
await mkdir(target, { recursive: true });
const browser = await launchChromium(await ensureChromium());

async function signIn(who: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext({ reducedMotion: 'reduce', ...options })).newPage();
  await page.goto(`${url}/desk`);
  await page.getByRole('button', { name: who }).click();
  await page.waitForURL('**/desk');
  return page;
}

/** Somebody proposes, so that somebody else can approve. */
async function propose(): Promise<void> {
  const page = await signIn('olaf', {});
  await page.goto(`${url}/desk/breaker`);
  const propose = page.getByText('Propose to release it').first();
  if ((await propose.count()) === 0 || (await page.getByText('Release 1 ').count()) > 0) return;
  await propose.click();
  await page.getByLabel('Reason').first().fill('looked at the list; all of them are right');
  await page.getByRole('button', { name: 'Propose' }).first().click();
}

/** The page of somebody who stands on the ladder. */
async function somebody(page: Page): Promise<string> {
  for (const path of ['/desk/people?blockedBy=no-notice', '/desk/people']) {
    await page.goto(url + path);
    const link = page.locator('a.id').first();
    if ((await link.count()) > 0) return (await link.getAttribute('href')) ?? '/desk';
  }
  return '/desk';
}

async function take(options: BrowserContextOptions, suffix: string, names: readonly string[]): Promise<void> {
  const page = await signIn('adam', options);
  const paths: Readonly<Record<string, string>> = {
    ...{ overview: '/desk', people: '/desk/people', work: '/desk/work', breaker: '/desk/breaker' },
    ...{ identity: await somebody(page), policies: '/desk/policies/demo', reports: '/desk/reports' },
    preview: '/desk/preview?of=demo',
  };
  for (const name of names.length === 0 ? Object.keys(paths) : names) {
    await page.goto(url + (paths[name] ?? ''));
    const path = join(target, `desk-${name}${suffix}.png`);
    await page.screenshot({ path, fullPage: names.length === 0 });
  }
  await page.context().close();
}

async function takeAll(): Promise<void> {
  await propose();
  if (directory === undefined) {
    await take({ viewport: { width: 1_200, height: 840 }, colorScheme: 'light' }, '', [
      'overview',
      'identity',
    ]);
    return take({ viewport: { width: 1_200, height: 700 }, colorScheme: 'dark' }, '', ['breaker']);
  }
  for (const [suffix, width, colorScheme] of [
    ['-wide', 1_440, 'light'],
    ['-middle', 820, 'dark'],
    ['-narrow', 390, 'light'],
    ['-narrow-dark', 390, 'dark'],
  ] as const)
    await take({ viewport: { width, height: 900 }, colorScheme }, suffix, []);
}

try {
  await takeAll();
} finally {
  await browser.close();
}
