/** Whether the clocks that measure an absence are reliable. Pure. */

export interface ClockReading {
  /** The worker's wall clock, epoch milliseconds. */
  readonly wallAt: number;
  /** PostgreSQL's clock at the same moment, epoch milliseconds. */
  readonly databaseAt: number;
  /** When the workflow decided, by Temporal's clock, epoch milliseconds. */
  readonly decidedAt: number;
  /** The latest time that any worker has read so far, epoch milliseconds. */
  readonly latestKnownAt?: number;
  /** Time that passed in this process since an earlier reading. */
  readonly since?: { readonly wallMs: number; readonly monotonicMs: number };
}

/** @returns what is wrong, or `undefined` */
export function clockProblem(reading: ClockReading, toleranceMs: number): string | undefined {
  const { wallAt, databaseAt, decidedAt, latestKnownAt, since } = reading;
  const seconds = (ms: number) => `${Math.round(Math.abs(ms) / 1_000)} s`;
  // guard: breaker: worker's and PostgreSQL's clocks differ
  if (Math.abs(wallAt - databaseAt) > toleranceMs) {
    return `the worker's clock and PostgreSQL's differ by ${seconds(wallAt - databaseAt)}`;
  }
  // A decision may be old (a queue was long), but it can't come from the future.
  // guard: breaker: Temporal is ahead
  if (decidedAt - wallAt > toleranceMs) {
    return `Temporal's clock is ${seconds(decidedAt - wallAt)} ahead of the worker's`;
  }
  // guard: breaker: the clock went back
  if (latestKnownAt !== undefined && latestKnownAt - wallAt > toleranceMs) {
    return `the clock went back by ${seconds(latestKnownAt - wallAt)}`;
  }
  // guard: breaker: the wall clock jumped against the monotonic one
  if (since !== undefined && Math.abs(since.wallMs - since.monotonicMs) > toleranceMs) {
    return `the worker's clock jumped by ${seconds(since.wallMs - since.monotonicMs)}`;
  }
  return undefined;
}
