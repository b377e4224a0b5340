/** Rules of the breaker for tests: one limit for all acts, and a day's window. */
import type { BreakerRules } from '../../src/domain/breaker/rules.js';

const day = 86_400_000;

/** @param atMost acts of each kind within a day; the percentage never is the smaller limit */
export function rulesOf(atMost: number): BreakerRules {
  const limit = { atMost, percent: 100 };
  return {
    windowMs: day,
    limits: {
      ...{ revoke: limit, deactivate: limit, delete: limit, bury: limit },
      ...{ endPersonal: limit, endRefresh: limit },
    },
    percentFrom: 1_000_000,
    operators: 1,
    stall: { windowMs: day, baselineMs: 14 * day, belowPercent: 20 },
    clockToleranceMs: 300_000,
  };
}
