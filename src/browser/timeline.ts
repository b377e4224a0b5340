/** The time that goes by in a page, which counts sleep and believes no clock that is set back. */
import type { PageClock } from './clock.js';

/** What the two clocks may differ by before one of them jumped, milliseconds. */
const toleranceMs = 1_000;

export class Timeline {
  readonly #clock: Pick<PageClock, 'wall' | 'monotonic'>;
  #wall = 0;
  #monotonic = 0;
  /** Of all stretches in which the machine's clock ran ahead. */
  #addedMs = 0;

  constructor(clock: Pick<PageClock, 'wall' | 'monotonic'>) {
    this.#clock = clock;
    this.#wall = clock.wall();
    this.#monotonic = clock.monotonic();
  }

  /**
   * Milliseconds since some moment. Of each stretch between two calls the longer of both measures counts: the monotonic clock may have
   * stood still while the machine slept. A clock that is set forward makes the page ask the server too early, which is harmless.
   */
  now(): number {
    const [wall, monotonic] = [this.#clock.wall(), this.#clock.monotonic()];
    const aheadMs = wall - this.#wall - monotonic + this.#monotonic;
    // guard: sessions: a clock that was set back hides no sleep
    if (Math.abs(aheadMs) > toleranceMs) {
      this.#addedMs += Math.max(0, aheadMs);
      this.#wall = wall;
      this.#monotonic = monotonic;
    }
    return monotonic + this.#addedMs;
  }
}
