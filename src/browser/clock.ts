/** The page's clocks and timers. Injected, so that a test moves them. */
export interface PageClock {
  /** Epoch milliseconds by the machine's clock, which can be wrong and can be set. */
  wall(): number;
  /** Milliseconds that only grow; some browsers stop it while the machine sleeps. */
  monotonic(): number;
  /** @returns a function that cancels */
  after(ms: number, run: () => void): () => void;
}

/** A timer may wait for 2^31 - 1 ms at most, and a machine may sleep: looked at each minute. */
export const longestWaitMs = 60_000;

/** The same clock, whose timers do nothing once the signal is aborted. */
export function clockUntil(clock: PageClock, signal: AbortSignal): PageClock {
  return { ...clock, after: (ms, run) => clock.after(ms, () => signal.aborted || run()) };
}

export const pageClock: PageClock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
