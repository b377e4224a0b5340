/** Takes pictures of the Temporal UI with the machine's Chromium. */
import { execa } from 'execa';
import { chromium } from 'playwright-core';
import type { StackInfo } from '../stack/index.js';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

async function findBrowser(): Promise<string | undefined> {
  for (const name of names) {
    const found = await execa('sh', ['-c', `command -v ${name}`], { reject: false });
    if (found.exitCode === 0 && found.stdout !== '') return found.stdout;
  }
  return undefined;
}

/** The list of lifecycles with their search attributes, as `file`. */
export async function takeScreenshots(stack: StackInfo, file: string): Promise<void> {
  const executablePath = await findBrowser();
  if (executablePath === undefined) {
    console.log(`No picture: none of ${names.join(', ')} is installed.`);
    return;
  }
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1500, height: 900 }, colorScheme: 'light' });
    const columns = [
      'Status',
      'Workflow ID',
      'DormouseStage',
      'DormouseNextStep',
      'DormouseNextStepAt',
      'DormouseBlocked',
      'DormousePolicy',
    ];
    // The UI keeps the choice of columns in local storage.
    const stored = JSON.stringify({ [stack.temporal.namespace]: columns.map((label) => ({ label })) });
    await page.addInitScript({
      content: `localStorage.setItem('namespace-workflow-columns', ${JSON.stringify(stored)})`,
    });
    const query = encodeURIComponent('`WorkflowType`="identityLifecycle"');
    await page.goto(
      `${stack.temporal.uiUrl}/namespaces/${stack.temporal.namespace}/workflows?query=${query}`,
    );
    await page.getByText('identity-lifecycle/').first().waitFor({ timeout: 20_000 });
    await page.screenshot({ path: file });
    console.log(`Picture of the Temporal UI: ${file}`);
  } finally {
    await browser.close();
  }
}
