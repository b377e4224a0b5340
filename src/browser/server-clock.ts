/** The server's clock, by what it answered: a wrong clock of the machine cancels out. */
import type { Timeline } from './timeline.js';

export interface ServerClock {
  /** Epoch milliseconds of the server. */
  now(): number;
  /** @param at epoch milliseconds of the server. @returns the same moment on the timeline */
  onTimeline(at: number): number;
  /**
   * Takes what an answer says of the time.
   * @param askedAt on the timeline
   * @returns whether the answer counts: one that was overtaken by the answer to a later question does not
   */
  adopt(serverNow: number, askedAt: number): boolean;
}

export function serverClock(timeline: Timeline): ServerClock {
  let aheadMs = 0;
  let answeredAt = 0;
  let toldAt = 0;
  return {
    now: () => timeline() + aheadMs,
    onTimeline: (at) => at - aheadMs,
    adopt(serverNow, askedAt) {
      // guard: sessions: an answer that was overtaken changes nothing in the page
      if (askedAt < answeredAt && serverNow < toldAt) return false;
      toldAt = serverNow;
      answeredAt = timeline();
      // As of the question: a slow answer shows too little time, never too much.
      // guard: sessions: the page counts the time of a slow answer
      aheadMs = serverNow - askedAt;
      return true;
    },
  };
}
