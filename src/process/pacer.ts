/** Keeps a rate: hands out turns evenly spaced in time. */
import { setTimeout as pause } from 'node:timers/promises';

export interface PacerClock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const systemPaceClock: PacerClock = {
  now: () => performance.now(),
  sleep: (ms) => pause(ms),
};

export class Pacer {
  private nextAt = Number.NEGATIVE_INFINITY;
  private readonly everyMs: number;

  /** @param perSecond most turns a second; more than 0 */
  constructor(
    perSecond: number,
    private readonly clock: PacerClock = systemPaceClock,
  ) {
    this.everyMs = 1_000 / perSecond;
  }

  /** Resolves when it is the caller's turn. Unused turns don't add up to a burst. */
  async turn(): Promise<void> {
    const now = this.clock.now();
    const at = Math.max(now, this.nextAt);
    this.nextAt = at + this.everyMs;
    if (at > now) await this.clock.sleep(at - now);
  }
}
