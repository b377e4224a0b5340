/** `npm run screenshots:simulation`: takes the picture of a simulation for docs/simulator.md: 20,000 invented people under the default policy. Needs no stack. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { inventedCast } from '../../src/simulation/casts.js';
import { simulationPage } from '../../src/simulation/page.js';
import { simulate } from '../../src/simulation/run.js';

const name = 'policies/default.yaml';
const policy = parsePolicyFile(await readFile(join(projectDirectory, name), 'utf8'), name);
const request = { name, policy, seed: 1, days: 730, from: Date.UTC(2026, 10, 27), response: 0.05 };
const html = simulationPage(await simulate(request, inventedCast(20_000, request)));

const browser = await launchChromium(await ensureChromium());
try {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 } });
  await page.setContent(html);
  await page.screenshot({ path: join(projectDirectory, 'docs', 'images', 'simulation.png'), fullPage: true });
} finally {
  await browser.close();
}
