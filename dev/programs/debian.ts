/** Finds a program on this machine, and gets Debian's package of it where that is possible. */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  return withPackage(name, () =>
    execa('apt-get', ['install', '-y', '--no-install-recommends', name], { env: quiet }),
  );
}

/**
 * Takes one program out of a package, which is not installed: installing it would start a server, for example.
 * @param path of the program in the package, as `/usr/bin/promtool`
 * @param to where the program goes
 * @returns whether it is there now, as {@link installPackage}. @throws what apt-get or dpkg-deb said
 */
export async function extractProgram(name: string, path: string, to: string): Promise<boolean> {
  return withPackage(name, async () => {
    const folder = await mkdtemp(join(dirname(to), 'package-'));
    try {
      await execa('apt-get', ['download', name], { env: quiet, cwd: folder });
      const [file] = await readdir(folder);
      if (file === undefined) throw new Error(`apt-get brought no file of ${name}`);
      await execa('dpkg-deb', ['--extract', file, 'content'], { cwd: folder });
      await rename(join(folder, 'content', path), to);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

const quiet = { DEBIAN_FRONTEND: 'noninteractive' };

async function withPackage(name: string, work: () => PromiseLike<unknown>): Promise<boolean> {
  if (process.getuid?.() !== 0 || (await findProgram(['apt-get'])) === undefined) return false;
  const lock = join(cacheRoot(readStackEnvironment()), 'apt-get.lock');
  const progress = createProgress();
  return withBuildLock(lock, `Debian's package ${name}`, progress, undefined, async () => {
    await execa('apt-get', ['update'], { env: quiet });
    if ((await execa('apt-cache', ['show', name], { reject: false })).exitCode !== 0) return false;
    await work();
    return true;
  });
}
