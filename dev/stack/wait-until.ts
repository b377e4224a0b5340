/** Waits for conditions. Node only. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  timeoutMs: number;
  /** Pause between two checks; default 50 ms. */
  intervalMs?: number;
}

/**
 * Checks until the condition returns something other than `undefined` or `false`.
 * @returns the condition's result, or `undefined` when time ran out. Errors of the condition are thrown.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T | undefined> {
  const deadlineAt = Date.now() + options.timeoutMs;
  for (;;) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (Date.now() >= deadlineAt) return undefined;
    await sleep(options.intervalMs ?? 50);
  }
}
