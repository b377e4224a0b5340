/** What a person of the demo does by links in mails: real mails, real pages of the running gateway. */
import { pagePaths, requestPageUrl } from '../../src/links/link-urls.js';
import type { StackInfo } from '../stack/index.js';
import { readMailbox } from './mailbox.js';
import type { Person } from './ory-people.js';
import { followLink, linkIn } from './people-links.js';

const tickMs = 500;
const patienceMs = 30_000;

export class PersonsMail {
  constructor(
    private readonly stack: StackInfo,
    private readonly person: Person,
  ) {}

  /** Requests a reactivation link on the page, waits for its mail, and follows it. */
  async returnByLink(): Promise<void> {
    const page = new URL(requestPageUrl(this.stack.gateway.url));
    await expectDone(followLink(page, { identifier: this.person.identifier }));
    await expectDone(followLink(await this.waitForLink('reactivation', `${pagePaths.reactivate}/`)));
  }

  /** Waits for the notice of the deactivation, and follows "Keep my account" in it. */
  async keepByLink(): Promise<void> {
    await expectDone(followLink(await this.waitForLink('notice-deactivate', `${pagePaths.keep}/`)));
  }

  private async waitForLink(kind: string, path: string): Promise<URL> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      const mails = await readMailbox(this.stack.mail.apiUrl);
      const mine = mails.filter((mail) => mail.kind === kind && mail.to.includes(this.person.email ?? ''));
      const url = mine.map((mail) => linkIn(mail, path)).at(-1);
      if (url !== undefined) return url;
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
    throw new Error(`no mail "${kind}" with a link came`);
  }
}

async function expectDone(answer: Promise<number>): Promise<void> {
  const status = await answer;
  if (status !== 200) throw new Error(`the gateway answered ${status} to a link of a mail`);
}
