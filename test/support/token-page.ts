/** What tests of the library of access tokens see and do in a page. */
import type { Page } from 'playwright-core';
import { warningIn } from './idle-page.js';
import { minute } from './token-apps.js';
import type { Mode, OpenedPage, OpenOptions, TokenPages } from './token-pages.js';
import { until } from './until.js';

export const second = 1_000;
export const idleEnd = 'You were signed out: you did nothing for a while.';
export const timeEnd = 'You were signed out: your access reached its time limit.';

export const check = (page: Page) => page.evaluate('access.check()');
export const current = (page: Page) => page.evaluate<string>('access.current()');
export const isSignedIn = (page: Page) => page.evaluate<boolean>('access.current() !== undefined');
export const coverOf = (page: Page, name: string | RegExp) => page.getByRole('dialog', { name });
export const count = ({ calls }: OpenedPage, call: string) => calls.filter((one) => one === call).length;

export async function work(page: Page): Promise<void> {
  const answered = page.waitForResponse('**/api/me');
  await page.getByRole('button', { name: 'Work' }).click();
  await answered;
  // The page knows the new end before more time goes by.
  await check(page);
  await page.locator('#work:enabled').waitFor({ state: 'attached' });
}

/** What is left by the server's word, milliseconds. */
export async function leftOf({ page }: OpenedPage): Promise<number> {
  const headers = { authorization: `Bearer ${await current(page)}` };
  const answer = await fetch(`${new URL(page.url()).origin}/token/status`, { headers });
  const told = (await answer.json()) as Record<'now' | 'idleEndsAt' | 'endsAt', string>;
  return Math.min(Date.parse(told.idleEndsAt), Date.parse(told.endsAt)) - Date.parse(told.now);
}

/** Lets time go by until just before the page asks whether the end is near, which is 2 minutes before it. */
export async function approach(opened: OpenedPage): Promise<void> {
  await opened.pass((await leftOf(opened)) - 2 * minute - second);
}

/** Lets time go by until something happens: the page's time stands still while the server's goes on, so they are not quite the same. */
export const passUntil = (
  opened: OpenedPage,
  what: string,
  happens: () => Promise<boolean> | boolean,
  stepMs = second,
) =>
  until(what, async () => {
    await opened.pass(stepMs);
    return happens();
  });

/** Lets the page stand until it warns. */
export async function untilWarned(opened: OpenedPage): Promise<void> {
  await approach(opened);
  await passUntil(opened, 'the warning', () => warningIn(opened.page).isVisible());
  // At the very limit the next answer of the server may take it back: what is left is known to a second only.
  await opened.pass(3 * second);
  await warningIn(opened.page).waitFor();
}

/** Lets the page stand until it is covered by the end. */
export const untilEnded = (opened: OpenedPage, name: string) =>
  passUntil(opened, 'the end', () => coverOf(opened.page, name).isVisible(), 10 * second);

/** Opens a page of a new person, and lets it stand until it warns. */
export async function warnedOf(
  pages: TokenPages,
  mode: Mode = 'fixed',
  options: OpenOptions = {},
): Promise<OpenedPage> {
  const opened = await pages.signedIn(mode, options);
  await untilWarned(opened);
  return opened;
}
