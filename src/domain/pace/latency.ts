/** What is usual for an operation of an outside system, and which answers took much longer. Pure. */

/** An answer is slow that took five times as long as usual, and 200 ms longer. */
const slowTimes = 5;
const slowByMs = 200;
/** Usual is the quickest answer of this and the last such span: a system that became slower for good is usual again. */
const spanMs = 300_000;

interface Quickest {
  readonly startedAt: number;
  readonly present: number;
  readonly last: number;
}

export interface UsualLatency {
  /**
   * Takes in an answer.
   * @param operation the method and path, without ids
   * @param now milliseconds on any clock that does not go back
   * @returns whether it was slow
   */
  isSlow(operation: string, tookMs: number, now: number): boolean;
}

export function createUsualLatency(): UsualLatency {
  const quickest = new Map<string, Quickest>();
  return {
    isSlow(operation, tookMs, now) {
      const known = quickest.get(operation) ?? { startedAt: now, present: tookMs, last: tookMs };
      const next =
        now - known.startedAt < spanMs
          ? { ...known, present: Math.min(known.present, tookMs) }
          : { startedAt: now, present: tookMs, last: known.present };
      quickest.set(operation, next);
      const usualMs = Math.min(next.present, next.last);
      return tookMs > usualMs * slowTimes && tookMs > usualMs + slowByMs;
    },
  };
}
