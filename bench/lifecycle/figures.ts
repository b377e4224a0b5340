/** What is read off a burst: acts a second from the common deadline to the last act, and how late they were. */
import pLimit from 'p-limit';

export interface Burst {
  readonly count: number;
  readonly startedPerSecond: number;
  readonly actsPerSecond: number;
  /** Milliseconds after the deadline. */
  readonly p50: number;
  readonly p99: number;
}

/** Workflows that are started at once. */
const startsAtOnce = 20;

export function burstOf(doneAt: readonly number[], deadline: number, startedPerSecond: number): Burst {
  const late = doneAt.map((at) => at - deadline);
  const last = Math.max(...late);
  return {
    count: doneAt.length,
    startedPerSecond,
    actsPerSecond: (1_000 * doneAt.length) / last,
    p50: quantile(late, 0.5),
    p99: quantile(late, 0.99),
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @returns how many were started a second */
export async function startAll<T>(all: readonly T[], start: (one: T) => Promise<void>): Promise<number> {
  const limit = pLimit(startsAtOnce);
  const begunAt = performance.now();
  await Promise.all(all.map((one) => limit(() => start(one))));
  return (1_000 * all.length) / (performance.now() - begunAt);
}

export const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
