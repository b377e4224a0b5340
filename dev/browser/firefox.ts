/** Finds Firefox, and installs Debian's where a test needs it and may. Playwright speaks WebDriver BiDi with it: it needs no build of its own. */
import { type Browser, firefox } from 'playwright-core';
import { findProgram, installPackage } from '../programs/debian.js';

const name = 'firefox-esr';

/** @returns the path of the program; `undefined` where there is none and it can't be installed. @throws what apt-get said */
export async function ensureFirefox(): Promise<string | undefined> {
  const found = await findProgram([name]);
  if (found !== undefined) return found;
  return (await installPackage(name)) ? findProgram([name]) : undefined;
}

export async function launchFirefox(executablePath: string): Promise<Browser> {
  const browser = await firefox.launch({ executablePath, channel: 'moz-firefox' });
  passOverMedia(browser);
  return browser;
}

/** The parts of Playwright 1.65.1 that {@link passOverMedia} changes. */
interface Inside {
  readonly _connection: {
    toImpl(browser: Browser): {
      readonly _browserSession: { send(method: string, parameters: unknown): Promise<unknown> };
    };
  };
}

/** Playwright chooses a colour scheme for each context, by a command that Firefox 153 does not know yet. */
function passOverMedia(browser: Browser): void {
  const session = (browser as unknown as Inside)._connection.toImpl(browser)._browserSession;
  const send = session.send.bind(session);
  session.send = async (method, parameters) =>
    method === 'emulation.setMediaFeaturesOverride' ? {} : send(method, parameters);
}
