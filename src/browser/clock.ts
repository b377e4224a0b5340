/** The page's clocks and timers. Injected, so that a test moves them. */
export interface PageClock {
  /** Epoch milliseconds by the machine's clock, which can be wrong and can be set. */
  wall(): number;
  /** Milliseconds that only grow; some browsers stop it while the machine sleeps. */
  monotonic(): number;
  /** @returns a function that cancels */
  after(ms: number, run: () => void): () => void;
}

export const pageClock: PageClock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
