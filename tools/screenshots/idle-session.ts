/** `npm run screenshots`: takes the pictures of the dialog for docs/idle-sessions.md. Answers for the server, so that it needs no stack. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { appPage, style } from '../../examples/idle-sessions/pages.js';
import { bundleScript } from '../packages/pack-browser.js';

const origin = 'http://app.example';
const images = join(projectDirectory, 'docs', 'images');
const script = Buffer.from(await bundleScript());
const appScript = await readFile(join(projectDirectory, 'examples', 'idle-sessions', 'public', 'app.js'));

function state(leftMs: number) {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    ...{ state: 'live', now: at(0), idleEndsAt: at(leftMs), absoluteEndsAt: at(3_600_000), idleMs: 300_000 },
    ...{
      rule: 'routes:/billing',
      warnBeforeMs: 60_000,
      renewal: 'presence',
      renewEveryMs: 30_000,
      leaseBeatMs: 60_000,
    },
  };
}

const browser = await launchChromium(await ensureChromium());
try {
  for (const [name, status, json] of [
    ['idle-warning', 200, state(42_500)],
    ['idle-ended', 401, { error: 'session_ended', reason: 'idle', rule: 'routes:/billing' }],
  ] as const) {
    const page = await browser.newPage({ viewport: { width: 820, height: 460 }, reducedMotion: 'reduce' });
    const served: Readonly<Record<string, [type: string, body: string | Buffer]>> = {
      '/billing': ['text/html', appPage('/billing')],
      '/style.css': ['text/css', style],
      '/dormouse.js': ['text/javascript', script],
      '/app.js': ['text/javascript', appScript],
    };
    await page.route(`${origin}/**`, (route) => {
      const { pathname } = new URL(route.request().url());
      const found = served[pathname];
      if (found === undefined) return route.fulfill({ status, json });
      return route.fulfill({ contentType: found[0], body: found[1] });
    });
    await page.goto(`${origin}/billing`);
    await page.locator('dialog[open]').waitFor();
    await page.screenshot({ path: join(images, `${name}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
}
