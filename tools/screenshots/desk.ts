/**
 * `npm run screenshots:desk -- DIRECTORY`: takes pictures of the desk of a running stack (`npm run demo -- --keep`), at three widths, light
 * and dark; of the desk at another address where a second argument names one. Without a directory, the few that docs/desk.md shows, into docs/images.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { readRunningStack } from '../../dev/stack/index.js';
import { projectDirectory } from '../../dev/stack/project.js';

const [directory, otherUrl] = process.argv.slice(2);
const stack = await readRunningStack(join(projectDirectory, '.stack'));
if (stack === undefined) throw new Error('no stack runs. Start one: npm run demo -- --keep');
const url = otherUrl ?? stack.gateway.url;

async function signIn(
  browser: Browser,
  who: string,
  options: Parameters<Browser['newPage']>[0],
): Promise<Page> {
  const page = await browser.newPage({ reducedMotion: 'reduce', ...options });
  await page.goto(`${url}/desk`);
  await page.getByRole('button', { name: who }).click();
  await page.waitForURL('**/desk');
  return page;
}

/** The page of somebody who stands on the ladder. */
async function somebody(page: Page): Promise<string> {
  for (const path of ['/desk/people?blockedBy=parked', '/desk/people?stage=deactivated', '/desk/people']) {
    await page.goto(url + path);
    const link = page.locator('a.id').first();
    if ((await link.count()) > 0) return (await link.getAttribute('href')) ?? '/desk';
  }
  return '/desk';
}

const browser = await launchChromium(await ensureChromium());
try {
  const target = directory ?? join(projectDirectory, 'docs', 'images');
  await mkdir(target, { recursive: true });
  const forms =
    directory === undefined
      ? ([['', 1_280, 'light']] as const)
      : ([
          ['-wide', 1_440, 'light'],
          ['-middle', 820, 'dark'],
          ['-narrow', 390, 'light'],
          ['-narrow-dark', 390, 'dark'],
        ] as const);
  for (const [suffix, width, colorScheme] of forms) {
    const page = await signIn(browser, 'adam', { viewport: { width, height: 900 }, colorScheme });
    const paths: Readonly<Record<string, string>> = {
      overview: '/desk',
      people: '/desk/people',
      work: '/desk/work',
      identity: await somebody(page),
      breaker: '/desk/breaker',
      policies: '/desk/policies/demo',
      reports: '/desk/reports',
    };
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(url + path);
      await page.screenshot({
        path: join(target, `desk-${name}${suffix}.png`),
        fullPage: directory !== undefined,
      });
    }
    await page.close();
  }
} finally {
  await browser.close();
}
