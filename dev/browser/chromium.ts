/** Finds Chromium, and installs Debian's where a test needs it and may. */
import { execa } from 'execa';
import { type Browser, chromium } from 'playwright-core';

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns the path of the program; `undefined` where there is none */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env.DORMOUSE_CHROMIUM;
  if (named !== undefined && named !== '') return named;
  for (const name of programs) {
    const found = await execa('sh', ['-c', `command -v ${name}`], { reject: false });
    if (found.exitCode === 0 && found.stdout !== '') return found.stdout;
  }
  return undefined;
}

/** Installs Debian's package where there is no Chromium. @throws Error that names the ways out */
export async function ensureChromium(): Promise<string> {
  const found = await findChromium();
  if (found !== undefined) return found;
  const canInstall =
    process.getuid?.() === 0 &&
    (await execa('sh', ['-c', 'command -v apt-get'], { reject: false })).exitCode === 0;
  if (canInstall) {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await execa('apt-get', ['update'], { env });
    await execa('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { env });
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
