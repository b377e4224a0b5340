/** Finds a browser on this machine, and installs Debian's package of it where that is possible. */
import { join } from 'node:path';
import { execa } from 'execa';
import { withBuildLock } from '../stack/binaries/build-lock.js';
import { cacheRoot } from '../stack/binaries/cache.js';
import { readStackEnvironment } from '../stack/environment.js';
import { createProgress } from '../stack/progress.js';

/** @returns the path of the first program that there is; `undefined` where there is none */
export async function findProgram(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await execa('sh', ['-c', `command -v ${name}`], { reject: false });
    if (found.exitCode === 0 && found.stdout !== '') return found.stdout;
  }
  return undefined;
}

/** One process at a time: apt-get refuses a second one. @returns whether it is installed now; `false` where there is no apt-get, no right to use it, or no such package. @throws what apt-get said */
export async function installPackage(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0 || (await findProgram(['apt-get'])) === undefined) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const lock = join(cacheRoot(readStackEnvironment()), 'apt-get.lock');
  const progress = createProgress();
  return withBuildLock(lock, `Debian's package ${name}`, progress, undefined, async () => {
    await execa('apt-get', ['update'], { env });
    if ((await execa('apt-cache', ['show', name], { reject: false })).exitCode !== 0) return false;
    await execa('apt-get', ['install', '-y', '--no-install-recommends', name], { env });
    return true;
  });
}
