/** Waits for conditions of the real system: polls, and gives up after a bound. Imports Node only. */
import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 50;

/**
 * Asks until the answer is there.
 * @param what the awaited condition, for the error
 * @param probe `undefined` or `false`: not yet
 * @param timeoutMs generous: a bound against hanging, no measure of speed
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await pause(pollMs);
  }
}

/** After this time a test calls a bounded call hanging. */
export const hangMs = 60_000;

/** The outcome of `work` within {@link hangMs}; never rejects. */
export async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T> | { status: 'hanging' }> {
  const guard = new AbortController();
  const hanging = pause(hangMs, { status: 'hanging' } as const, { signal: guard.signal }).catch(
    () => ({ status: 'hanging' }) as const,
  );
  const [outcome] = await Promise.all([
    Promise.race([Promise.allSettled([work]).then(([only]) => only), hanging]),
  ]);
  guard.abort();
  return outcome;
}

/** The reason for which `work` was rejected in time. @throws when it hangs or succeeds */
export async function rejection(work: Promise<unknown>): Promise<Error> {
  const outcome = await settled(work);
  if (outcome.status === 'rejected' && outcome.reason instanceof Error) return outcome.reason;
  throw new Error(`expected a rejection, but the call is ${outcome.status}`);
}
