/** Asks again after an answer that decided nothing: after a second, then more and more rarely. */
import { longestWaitMs, type PageClock } from './clock.js';

const soonMs = 1_000;
const longestRetryMs = 30_000;

export interface Retries {
  /** Whether the server did not answer the last time. */
  isFailing(): boolean;
  /** @param wishMs after how long the server wants to be asked again */
  failed(wishMs: number, again: () => void): void;
  settled(): void;
}

export function startRetries(clock: PageClock): Retries {
  let failures = 0;
  let cancel = () => {};
  return {
    isFailing: () => failures > 0,
    failed(wishMs, again) {
      cancel();
      // The server's own wish counts, as far as it makes sense.
      cancel = clock.after(Math.min(Math.max(backOffMs(failures), wishMs), longestWaitMs), again);
      failures += 1;
    },
    settled() {
      failures = 0;
      cancel();
    },
  };
}

/** Milliseconds to wait after so many failures. */
const backOffMs = (failures: number) => Math.min(soonMs * 2 ** failures, longestRetryMs);

/**
 * Repeats until it is taken: who asked to leave must not stay signed in because a server was slow.
 * @param send whether it was taken, or no longer matters
 * @param onRefused called before each wait
 */
export async function untilTaken(
  clock: PageClock,
  send: () => Promise<boolean> | true,
  onRefused: () => unknown,
): Promise<void> {
  for (let failures = 0; !(await send()); failures += 1) {
    onRefused();
    await new Promise<void>((done) => clock.after(backOffMs(failures), done));
  }
}
