/** The server's time as of its last answer: a wrong clock of the machine cancels out. */
import type { PageClock } from './clock.js';

export class ServerTime {
  readonly #wall: number;
  readonly #monotonic: number;

  /** @param at the server's time in its answer, epoch milliseconds */
  readonly #clock: Pick<PageClock, 'wall' | 'monotonic'>;
  readonly #at: number;

  constructor(clock: Pick<PageClock, 'wall' | 'monotonic'>, at: number) {
    this.#clock = clock;
    this.#at = at;
    this.#wall = clock.wall();
    this.#monotonic = clock.monotonic();
  }

  /**
   * Epoch milliseconds. The larger of both clocks' progress counts: one of them may have stood still while the machine slept. A clock
   * that is set forward makes the page ask the server too early, which is harmless.
   */
  now(): number {
    return this.#at + Math.max(this.#clock.wall() - this.#wall, this.#clock.monotonic() - this.#monotonic);
  }
}
