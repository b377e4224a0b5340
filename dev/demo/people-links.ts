/** Follows the links in people's mails like a browser: opens the page, then presses the button. */
import type { CaughtMail } from './mailbox.js';

/** @returns the URL in the mail whose path has this prefix */
export function linkIn(mail: Pick<CaughtMail, 'text'>, path: string): URL | undefined {
  for (const [found] of mail.text.matchAll(/^https?:\/\/\S+$/gm)) {
    const url = new URL(found);
    if (url.pathname.startsWith(path)) return url;
  }
  return undefined;
}

/** Opens the page and sends its form. @returns the status of the answer to the form */
export async function followLink(url: URL, form: Readonly<Record<string, string>> = {}): Promise<number> {
  const page = await fetch(url);
  if (!page.ok || !(await page.text()).includes('<form method="post">')) return page.status;
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  await answer.arrayBuffer();
  return answer.status;
}
