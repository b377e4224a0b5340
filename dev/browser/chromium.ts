/** Finds Chromium, and installs Debian's where a test needs it and may. */
import { type Browser, chromium } from 'playwright-core';
import { findProgram, installPackage } from '../programs/debian.js';

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns the path of the program; `undefined` where there is none */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env.DORMOUSE_CHROMIUM;
  if (named !== undefined && named !== '') return named;
  return findProgram(programs);
}

/** Installs Debian's package where there is no Chromium. @throws Error that names the ways out */
export async function ensureChromium(): Promise<string> {
  const found = await findChromium();
  if (found !== undefined) return found;
  if (await installPackage('chromium')) {
    const installed = await findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'Chromium is missing, and tests of pages need it. Install it (Debian: apt-get install chromium), or name one by DORMOUSE_CHROMIUM',
  );
}

/** @param more further arguments of Chromium's command line */
export function launchChromium(executablePath: string, more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A person's browser has one.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}
