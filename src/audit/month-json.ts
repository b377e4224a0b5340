/** A month's report as JSON, with times as RFC 3339. Pure. */
import { rfc3339 } from '../domain/rfc3339.js';
import type { MonthReport } from './month-report.js';

export function monthJson({ finalAt, now, ...report }: MonthReport): object {
  return { ...report, finalAt: rfc3339(finalAt), now: { ...now, at: rfc3339(now.at) } };
}
