/** Takes pictures of the Temporal UI with the machine's Chromium. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { findChromium, launchChromium } from '../browser/chromium.js';
import type { StackInfo } from '../stack/index.js';

const columns = [
  'Workflow ID',
  'DormouseStage',
  'DormouseNextStep',
  'DormouseNextStepAt',
  'DormouseBlocked',
  'DormousePolicy',
];

/**
 * Writes `lifecycles.png` (the list with its search attributes) and `lifecycle.png`
 * (one identity) into `directory`.
 */
export async function takeScreenshots(
  stack: StackInfo,
  directory: string,
  identityId: string,
): Promise<void> {
  const executablePath = await findChromium();
  if (executablePath === undefined) {
    console.log('No pictures: Chromium is not installed.');
    return;
  }
  await mkdir(directory, { recursive: true });
  const browser = await launchChromium(executablePath);
  try {
    const page = await browser.newPage({ viewport: { width: 1800, height: 760 }, colorScheme: 'light' });
    await chooseColumns(page, stack.temporal.namespace);
    const base = `${stack.temporal.uiUrl}/namespaces/${stack.temporal.namespace}/workflows`;
    const query = '`WorkflowType`="identityLifecycle" AND `ExecutionStatus`="Running"';
    await page.goto(`${base}?query=${encodeURIComponent(query)}`);
    await page.locator('th', { hasText: 'DormousePolicy' }).first().waitFor({ timeout: 20_000 });
    await page.getByText('identity-lifecycle/').first().waitFor({ timeout: 20_000 });
    await page.screenshot({ path: join(directory, 'lifecycles.png') });
    await page.getByText(lifecycleWorkflowId(identityId)).first().click();
    await page.getByText('User Metadata').first().click();
    // The UI renders a workflow's Markdown in a frame of its own.
    await page.frameLocator('iframe').first().getByText('Stage:').first().waitFor({ timeout: 20_000 });
    await page.screenshot({ path: join(directory, 'lifecycle.png') });
    console.log(`Pictures of the Temporal UI: ${directory}`);
  } finally {
    await browser.close();
  }
}

/** The UI keeps the choice of columns in the browser's local storage. */
async function chooseColumns(page: Page, namespace: string): Promise<void> {
  const stored = JSON.stringify({ [namespace]: columns.map((label) => ({ label, pinned: false })) });
  await page.addInitScript({
    content: `localStorage.setItem('namespace-workflow-table-columns', ${JSON.stringify(stored)})`,
  });
}
