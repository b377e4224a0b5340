/** The activities' clock. Injected, so that tests run years in seconds. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): Promise<number>;
}

export const systemClock: Clock = { now: () => Promise.resolve(Date.now()) };
