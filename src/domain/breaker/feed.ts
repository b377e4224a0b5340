/** Whether signs of life still arrive as usual. Compares the feed with its own past. Pure. */
import type { StallRule } from './rules.js';

/** Signs of life received in one stretch of time. */
export interface FeedBucket {
  /** When the stretch begins, epoch milliseconds. */
  readonly at: number;
  readonly signs: number;
}

/** A stretch of time that must not serve as a baseline: the feed was known to be stalled. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export type FeedVerdict =
  | { readonly stalled: false }
  | { readonly stalled: true; readonly received: number; readonly quietest: number };

/** With fewer stretches there is no baseline. */
const leastWindows = 3;
/** Below this number of signs in the quietest stretch, a stalled feed looks the same as a quiet site. */
const leastSigns = 20;

/**
 * Compares the last stretch with the quietest one of the baseline, so that nights and weekends are normal. A
 * feed that is too young or too thin for a baseline is never called stalled.
 */
export function feedHealth(
  buckets: readonly FeedBucket[],
  rule: StallRule,
  now: number,
  outages: readonly Outage[] = [],
): FeedVerdict {
  const first = Math.min(...buckets.map(({ at }) => at));
  const received = signsWithin(buckets, now - rule.windowMs, now);
  const examples: number[] = [];
  for (let end = now - rule.windowMs; ; end -= rule.windowMs) {
    const begin = end - rule.windowMs;
    if (begin < first || begin < now - rule.windowMs - rule.baselineMs) break;
    // guard: breaker: an outage of the feed does not become the norm
    if (!outages.some(({ from, to }) => from < end && begin < to)) {
      examples.push(signsWithin(buckets, begin, end));
    }
  }
  if (examples.length < leastWindows) return { stalled: false };
  const quietest = Math.min(...examples);
  const stalled = quietest >= leastSigns && received < (quietest * rule.belowPercent) / 100;
  // guard: breaker: a stalled feed
  return stalled ? { stalled, received, quietest } : { stalled: false };
}

function signsWithin(buckets: readonly FeedBucket[], from: number, to: number): number {
  return buckets.reduce((sum, { at, signs }) => (at >= from && at < to ? sum + signs : sum), 0);
}
