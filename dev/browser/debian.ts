/** Finds a browser on this machine, and installs Debian's package of it where that is possible. */
import { execa } from 'execa';

/** @returns the path of the first program that there is; `undefined` where there is none */
export async function findProgram(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await execa('sh', ['-c', `command -v ${name}`], { reject: false });
    if (found.exitCode === 0 && found.stdout !== '') return found.stdout;
  }
  return undefined;
}

/** @returns whether it is installed now; `false` where there is no apt-get, no right to use it, or no such package. @throws what apt-get said */
export async function installPackage(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0 || (await findProgram(['apt-get'])) === undefined) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update'], { env });
  if ((await execa('apt-cache', ['show', name], { reject: false })).exitCode !== 0) return false;
  await execa('apt-get', ['install', '-y', '--no-install-recommends', name], { env });
  return true;
}
