/** What axe-core finds in a page. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';

/** @returns the rules that the page as it is shown breaks. Its policy may allow no inline script: evaluate is none */
export async function findingsIn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id }) => id))');
}

/** Looks at a page that is a file, in a browser of its own. @returns the rules that it breaks, by colour scheme */
export async function findingsInFile(path: string): Promise<Record<'light' | 'dark', string[]>> {
  const browser = await launchChromium(await ensureChromium());
  try {
    const findings = async (colorScheme: 'light' | 'dark') => {
      const tab = await browser.newPage({ colorScheme });
      await tab.goto(`file://${path}`);
      return findingsIn(tab);
    };
    return { light: await findings('light'), dark: await findings('dark') };
  } finally {
    await browser.close();
  }
}
