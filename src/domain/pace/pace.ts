/**
 * The pace at which the installation's workers call an outside system: it rises while answers are good and calls wait,
 * and falls when the system refuses or slows down (additive increase, multiplicative decrease: RFC 5681 §3.1). Pure.
 */

/** The pace of one system, shared by all workers. Times are epoch milliseconds of one clock, that of PostgreSQL. */
export interface Pace {
  /** Calls a second. */
  readonly rate: number;
  /** When the next call has its place. */
  readonly nextAt: number;
  /** No call has a place before: the system named this time (`Retry-After`). */
  readonly pausedUntil: number;
  /** When the rate was last raised or lowered. */
  readonly changedAt: number;
}

/** Calls a second. */
export interface PaceLimits {
  readonly least: number;
  /** The rate of an installation that has not called the system yet. */
  readonly first: number;
  readonly most: number;
}

/** What a worker saw of the system since its last report. */
export interface PaceReport {
  /** Calls that were answered in any way. */
  readonly answers: number;
  /** Those of them that took much longer than usual (latency.ts). */
  readonly slow: number;
  /** Answers that say that the system has too much to do: 429 and 503. */
  readonly refused: number;
  /** The longest `Retry-After` of them, milliseconds; 0: none was given. */
  readonly retryAfterMs: number;
}

/** Places for calls: the first in so many milliseconds, and one more after each pause. */
export interface Places {
  readonly count: number;
  readonly firstInMs: number;
  readonly everyMs: number;
  /** How long the system wants no call, milliseconds; 0: it does not say so. */
  readonly pausedForMs: number;
}

export const nothingSeen: PaceReport = { answers: 0, slow: 0, refused: 0, retryAfterMs: 0 };

/** How far ahead places are given. What a worker has in hand, a pause reaches no more. */
const horizonMs = 250;
/** The rate falls once for what comes in together: answers of calls that were under way tell the same story. */
const loweredOnceInMs = 1_000;
/** A rate rises by so much of the first rate in each second in which calls wait. */
const raisedBy = 0.1;
const refusedFactor = 0.5;
const slowFactor = 0.8;
/** Latency alone lowers the rate to this part of the first rate: slow answers are answers. */
const slowFloor = 0.1;
/** Fewer answers say nothing about latency. */
const fewestAnswers = 8;

export const firstPace = ({ first }: PaceLimits): Pace => ({
  rate: first,
  nextAt: 0,
  pausedUntil: 0,
  changedAt: 0,
});

/**
 * Takes in a report, and gives places.
 * @param wanted how many calls the worker would make now
 * @param now epoch milliseconds, on the clock of the pace
 */
export function givePlaces(
  before: Pace,
  report: PaceReport,
  wanted: number,
  limits: PaceLimits,
  now: number,
): { readonly pace: Pace; readonly places: Places } {
  const lowered = lower(before, report, limits, now);
  // guard: pace: a pause that one worker was told holds for all
  const firstAt = Math.max(lowered.nextAt, lowered.pausedUntil, now);
  const room = ((now + horizonMs - firstAt) * lowered.rate) / 1_000;
  const count = room <= 0 ? 0 : Math.min(wanted, Math.max(1, Math.floor(room)));
  const isLimit = wanted > count || firstAt > now;
  const isPaused = lowered.pausedUntil > now;
  const pace = isLimit && !isPaused && report.refused === 0 ? raise(lowered, limits, now) : lowered;
  const everyMs = 1_000 / pace.rate;
  return {
    pace: { ...pace, nextAt: count === 0 ? pace.nextAt : firstAt + count * everyMs },
    places: {
      count,
      firstInMs: firstAt - now,
      everyMs,
      pausedForMs: Math.max(0, lowered.pausedUntil - now),
    },
  };
}

function lower(before: Pace, report: PaceReport, limits: PaceLimits, now: number): Pace {
  const pausedUntil =
    report.retryAfterMs > 0 ? Math.max(before.pausedUntil, now + report.retryAfterMs) : before.pausedUntil;
  const pace = { ...before, rate: within(before.rate, limits), pausedUntil };
  if (now - pace.changedAt < loweredOnceInMs) return pace;
  // guard: pace: a system that refuses is called less often
  if (report.refused > 0) {
    return { ...pace, rate: within(pace.rate * refusedFactor, limits), changedAt: now };
  }
  const isSlow = report.answers >= fewestAnswers && report.slow * 2 > report.answers;
  const floor = limits.first * slowFloor;
  if (!isSlow || pace.rate <= floor) return pace;
  return { ...pace, rate: within(Math.max(pace.rate * slowFactor, floor), limits), changedAt: now };
}

/** By the time since the last change, so that many workers raise it no faster than one. */
function raise(pace: Pace, limits: PaceLimits, now: number): Pace {
  const seconds = Math.min(Math.max(now - pace.changedAt, 0) / 1_000, 1);
  return {
    ...pace,
    rate: within(pace.rate + limits.first * raisedBy * seconds, limits),
    changedAt: now,
  };
}

const within = (rate: number, { least, most }: PaceLimits): number => Math.min(Math.max(rate, least), most);
