/** Waits for a condition, never for a time: for tests against servers that take as long as they take. */

export interface UntilOptions {
  /** Real milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** Default 50. */
  readonly everyMs?: number;
}

/**
 * Asks again and again.
 * @returns the first answer that is neither `undefined` nor `false`
 * @throws Error naming `what` and the last answer or error, when none came in time
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) throw new Error(`waited in vain for: ${what} (last: ${String(last)})`);
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 50));
  }
}
