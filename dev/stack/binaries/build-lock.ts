/** One build at a time per target, across processes. Node only. */
import { StackError } from '../errors.js';
import { type FileLock, tryLock } from '../file-lock.js';
import type { Progress } from '../progress.js';
import { waitUntil } from '../wait-until.js';

/** Longer than any build takes. */
const patienceMs = 60 * 60_000;

/**
 * Runs `build` when no other process builds the same. A process that died during its build blocks nothing.
 * @param title what is built, for the person who waits.
 */
export async function withBuildLock<T>(
  path: string,
  title: string,
  progress: Progress,
  signal: AbortSignal | undefined,
  build: () => Promise<T>,
): Promise<T> {
  const lock = await waitForLock(path, title, progress, signal);
  try {
    return await build();
  } finally {
    await lock.release();
  }
}

async function waitForLock(
  path: string,
  title: string,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<FileLock> {
  const startedAt = Date.now();
  const lock = await waitUntil(
    async () => {
      if (signal?.aborted) throw new StackError(`Waiting for ${title} was given up.`);
      const attempt = await tryLock(path);
      if ('lock' in attempt) return attempt.lock;
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      progress.status(`${title}: waiting for process ${attempt.holder.pid}, which builds it, ${seconds} s`);
      return undefined;
    },
    { timeoutMs: patienceMs, intervalMs: 250 },
  );
  progress.status('');
  if (lock === undefined)
    throw new StackError(`${title}: gave up waiting for the process that holds ${path}.`);
  return lock;
}
