/** The desk in a real browser: without scripts, by keyboard, at three widths, light and dark, and without findings by axe-core. */
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { tripAndAudit } from '../../src/breaker/decisions.js';
import { dayMs } from '../../src/domain/duration.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { openDesk, type TestDesk } from '../support/desk-pages.js';
import { publish } from '../support/publish.js';
import { writeSomebody } from '../support/standings.js';
import { fresh, slowPolicy } from '../support/system-outside.js';

const now = Date.now();
let desk: TestDesk;
let browser: Browser;
let paths: string[];
let policyId: string;

beforeAll(async () => {
  desk = await openDesk();
  browser = await launchChromium(await ensureChromium());
  const { pool } = desk.database;
  policyId = (await publish(pool, slowPolicy(fresh('desk')))).id;
  const held = { id: 'h1', reason: 'leave', actor: 'op', since: now, until: now + dayMs };
  const parked = { step: 'revoke', errorType: 'Broken', wayOut: 'Mend it, then retry.', since: now };
  const id = await writeSomebody(pool, now, {
    ...{ stage: 'deactivated', parked, blocked: { by: 'parked', why: 'revoke failed for good' } },
    ...{ hold: held, holds: [held], activity: { human: now - dayMs }, warnings: ['metadata-not-published'] },
    next: { step: 'rung', rung: 'delete', at: now + dayMs },
  });
  await writeSomebody(pool, now, { next: { step: 'notice', rung: 'revoke', at: now + 2 * dayMs } });
  const waits = { by: 'breaker', why: 'the breaker is tripped' } as const;
  await writeSomebody(pool, now, { stage: 'suspended', blocked: waits });
  const trip = { scope: 'all', cause: 'operator', why: 'a drill', trippedAt: now, operators: 2 } as const;
  await inTransaction(pool, (client) => tripAndAudit(client, trip, 'test'));
  await (await desk.user('olaf')).post('/desk/sign-out');
  const policies = ['/desk/policies', `/desk/policies/${policyId}`, `/desk/preview?of=${policyId}`];
  const lists = [
    '/desk',
    '/desk/people',
    '/desk/people?stage=warned&step=warn',
    '/desk/work',
    '/desk/breaker',
  ];
  paths = [...lists, `/desk/identities/${id}`, ...policies, '/desk/reports', '/desk/signed-out'];
});
afterAll(async () => {
  await browser.close();
  await desk.close();
});

async function signedIn(who: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ reducedMotion: 'reduce', ...options })).newPage();
  await page.goto(`${desk.url}/desk`);
  await page.getByRole('button', { name: who }).click();
  await page.waitForURL(`${desk.url}/desk`);
  return page;
}

describe.each([
  [1_280, 'light'],
  [820, 'dark'],
  [360, 'light'],
  [360, 'dark'],
] as const)('at %i pixels, %s', (width, colorScheme) => {
  it('every page fits the width, asks for nothing from outside, and axe-core finds nothing', async () => {
    const page = await signedIn('adam', { viewport: { width, height: 800 }, colorScheme });
    const outside: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(desk.url)) outside.push(request.url());
    });
    for (const path of paths) {
      await page.goto(desk.url + path);
      // What a person opens is looked at as well.
      for (const summary of await page.locator('summary').all()) await summary.click();
      await page.evaluate(axe.source);
      const findings = await page.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
      );
      expect([path, findings]).toEqual([path, []]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect([path, overflow]).toEqual([path, 0]);
    }
    expect(outside).toEqual([]);
    await page.context().close();
  });
});

it('a release is proposed by one and approved by another, without scripts and by keyboard', async () => {
  const options = { javaScriptEnabled: false };
  const anna = await signedIn('anna', options);
  await anna.goto(`${desk.url}/desk/breaker`);
  await anna.getByText('Propose to release it').focus();
  await anna.keyboard.press('Enter');
  await anna.getByLabel('Reason').focus();
  await anna.keyboard.type('looked at the list');
  await anna.keyboard.press('Enter');
  await anna.getByText('The release is proposed.').waitFor();
  const arne = await signedIn('arne', options);
  await arne.goto(`${desk.url}/desk/breaker`);
  await arne.getByRole('button', { name: /Approve release/ }).focus();
  await arne.keyboard.press('Enter');
  await arne.getByText('Not tripped.').waitFor();
});

it('a preview shows the whole page in its frame under the strict policy, and is published', async () => {
  const page = await signedIn('adam');
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Content Security Policy'))
      wrong.push(message.text());
  });
  await page.goto(`${desk.url}/desk/preview?of=${policyId}`);
  const field = page.getByLabel('The policy, as YAML');
  await field.fill((await field.inputValue()).replace('after: 30d', 'after: 40d'));
  await page.getByRole('button', { name: 'Preview' }).click();
  const frame = page.frameLocator('iframe[title="The preview"]');
  await frame.getByRole('heading', { name: `Preview of a policy for "${policyId}"` }).waitFor();
  // Its style applies: a page without one has no such margin.
  expect(await frame.locator('main').evaluate('main => getComputedStyle(main).maxWidth')).not.toBe('none');
  await page.evaluate(axe.source);
  // The page in the frame has a test of its own.
  expect(await page.evaluate('axe.run({ iframes: false }).then(({ violations }) => violations)')).toEqual([]);
  await page.getByLabel('Reason').fill('as discussed');
  await page.getByRole('button', { name: 'Publish on this preview' }).click();
  await page.getByText('Version 2, the latest').waitFor();
  expect(wrong).toEqual([]);
});

it('after the sign-out, the way back shows nothing, and the next person signs in anew', async () => {
  const page = await signedIn('vera');
  await page.goto(`${desk.url}/desk/work`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
  await page.goto(`${desk.url}/desk/signed-out`);
  await page.getByRole('link', { name: 'Sign in again' }).click();
  await page.getByRole('button', { name: 'olaf' }).click();
  await page.getByText('oidc:dev:olaf').waitFor();
});
