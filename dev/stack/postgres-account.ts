/**
 * PostgreSQL refuses to run as root. Where the stack runs as root (containers), the server runs as
 * another user, which must be able to reach its files: a clone under a closed directory such as /root
 * hides them. Node and execa only.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { codeOf, StackError } from './errors.js';

export interface Account {
  uid: number;
  gid: number;
}

/** The place for files that PostgreSQL's user can't reach in their usual place. Only used by root. */
export const reachableRoot = '/var/lib/dormouse';

// "nobody" exists on every system, so none needs a new user for a development database.
const accountNames = ['postgres', 'nobody'];

/**
 * The user that PostgreSQL runs as when this process is root.
 * @returns `undefined` when this process is not root: PostgreSQL then runs as the same user.
 */
export async function findPostgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of accountNames) {
    const [user, group] = await Promise.all([
      execa('id', ['-u', name], { reject: false }),
      execa('id', ['-g', name], { reject: false }),
    ]);
    if (user.exitCode === 0 && group.exitCode === 0)
      return { uid: Number(user.stdout), gid: Number(group.stdout) };
  }
  throw new StackError(
    `PostgreSQL does not run as root, and there is no user "${accountNames.join('" or "')}" to run it as. ` +
      'Run the stack as another user, or add one (useradd --system postgres).',
  );
}

/**
 * The nearest directory on the path to `path` (including itself, as far as it exists)
 * that the account may not enter.
 * @returns `undefined` when all are accessible.
 */
export async function closedDirectoryOnTheWay(path: string, account: Account): Promise<string | undefined> {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    const found = await statIfAny(directory);
    if (found?.isDirectory() && !mayPass(found, account)) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}

/**
 * A place for `path` that the account can reach: `path` itself where possible, else one under
 * {@link reachableRoot} that is always the same for the same `path`.
 */
export async function reachablePlaceFor(path: string, account: Account | undefined): Promise<string> {
  if (account === undefined) return path;
  if ((await closedDirectoryOnTheWay(dirname(path), account)) === undefined) return path;
  const key = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16);
  return join(await makeReachableRoot(path), key);
}

/** Creates {@link reachableRoot}. An error names `neededFor`. */
export async function makeReachableRoot(neededFor: string): Promise<string> {
  try {
    await mkdir(reachableRoot, { recursive: true });
    await chmod(reachableRoot, 0o711);
    return reachableRoot;
  } catch (error) {
    throw new StackError(
      `PostgreSQL's user can't reach ${neededFor}, and ${reachableRoot} can't be made instead. Move the project to a ` +
        'directory that other users may pass (chmod o+x), or run the stack as another user than root.',
      { cause: error },
    );
  }
}

async function statIfAny(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function mayPass(directory: { uid: number; gid: number; mode: number }, account: Account): boolean {
  if (directory.uid === account.uid) return (directory.mode & 0o100) !== 0;
  if (directory.gid === account.gid) return (directory.mode & 0o010) !== 0;
  return (directory.mode & 0o001) !== 0;
}
