/** What tests of the browser library see in a page, in whichever browser. */
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { projectDirectory } from '../../dev/stack/project.js';
import type { Opened, Pages } from './pages.js';

const second = 1_000;

export const warningIn = (page: Page) => page.getByRole('alertdialog', { name: 'Are you still there?' });

/** The seconds that the warning says are left. */
export const secondsShown = async (page: Page) =>
  Number(/in (\d+) second/.exec((await warningIn(page).textContent()) ?? '')?.[1]);

/** Renewals that the server was asked for so far. */
export const renewalsOf = ({ calls }: Opened) => calls.filter((call) => call === 'POST renew').length;

/** Opens a page of a new person, and lets it stand until the warning. */
export async function warned(pages: Pages, path?: string): Promise<Opened> {
  const opened = await pages.open(await pages.signedIn(), path);
  await opened.pass((path === '/billing' ? 36 : 96) * second);
  await warningIn(opened.page).waitFor();
  return opened;
}

/** Serves a script of the test's own in place of the page's. */
export async function withScript(pages: Pages, source: string): Promise<Opened> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: join(projectDirectory, 'src', 'browser'), loader: 'tsx' },
    bundle: true,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
  });
  const body = outputFiles[0]?.text ?? '';
  const context = await pages.signedIn((prepared) =>
    prepared.route('**/app.js', (route) => route.fulfill({ contentType: 'text/javascript', body })),
  );
  return pages.open(context);
}

/** Answers of the server to questions for the state wait on their way until the test lets one through. */
export function holdStatus(
  page: Page,
  path = '**/session/status*',
): { asked: Promise<void>; answer: () => void } {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    void page.route(path, async (route) => {
      const response = await route.fetch();
      resolve();
      await answered;
      await route.fulfill({ response });
    });
  });
  return { asked, answer };
}
