/**
 * A lock between processes, as a file that names its holder. The lock of a dead holder is void, so that
 * nobody has to remove a file by hand after a crash. Node only.
 */
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, StackError } from './errors.js';
import { readFileIfAny, temporaryNameFor } from './files.js';
import {
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
  processIdentitySchema,
} from './process-identity.js';

export interface FileLock {
  release(): Promise<void>;
}

export type LockAttempt = { lock: FileLock } | { holder: ProcessIdentity };

/**
 * Takes the lock if no live process holds it.
 * @returns the lock, or the live process that holds it (which may be this one).
 */
export async function tryLock(path: string): Promise<LockAttempt> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    const content = await claim(path);
    if (content !== undefined) return { lock: { release: () => releaseIfOurs(path, content) } };
    const found = await readFileIfAny(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && (await isProcessAlive(holder))) return { holder };
    await removeStale(path, found);
  }
}

/** Creates the lock file in one step: complete from the start, and only where there was none. */
async function claim(path: string): Promise<string | undefined> {
  const self = await identifyProcess(process.pid);
  if (self === undefined) throw new StackError('The start time of this very process could not be read.');
  const content = JSON.stringify({ ...self, claimedAt: Date.now() });
  const temporary = temporaryNameFor(path);
  await writeFile(temporary, content, { mode: 0o600 });
  try {
    await link(temporary, path);
    return content;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function parseHolder(content: string): ProcessIdentity | undefined {
  try {
    return processIdentitySchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/**
 * Renames the file before removing it: two processes that both found it stale must
 * not remove a third one's claim.
 */
async function removeStale(path: string, expected: string): Promise<void> {
  const aside = temporaryNameFor(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFileIfAny(aside)) !== expected) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function releaseIfOurs(path: string, content: string): Promise<void> {
  if ((await readFileIfAny(path)) === content) await rm(path, { force: true });
}
