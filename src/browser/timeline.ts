/** The time that goes by in a page, which counts sleep and believes no clock that is set back. */
import type { PageClock } from './clock.js';

/** What the two clocks may differ by before one of them jumped, milliseconds. */
const toleranceMs = 1_000;

/** Milliseconds since some moment. */
export type Timeline = () => number;

/**
 * Of each stretch between two calls the longer of both measures counts: the monotonic clock may have stood still while the machine
 * slept. A clock that is set forward makes the page ask the server too early, which is harmless.
 */
export function startTimeline(clock: Pick<PageClock, 'wall' | 'monotonic'>): Timeline {
  let lastWall = clock.wall();
  let lastMonotonic = clock.monotonic();
  /** Of all stretches in which the machine's clock ran ahead. */
  let addedMs = 0;
  return () => {
    const [wall, monotonic] = [clock.wall(), clock.monotonic()];
    const aheadMs = wall - lastWall - monotonic + lastMonotonic;
    // guard: sessions: a clock that was set back hides no sleep
    if (Math.abs(aheadMs) > toleranceMs) {
      addedMs += Math.max(0, aheadMs);
      lastWall = wall;
      lastMonotonic = monotonic;
    }
    return monotonic + addedMs;
  };
}
