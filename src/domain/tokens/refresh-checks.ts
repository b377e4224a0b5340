/** The rules for a policy's `tokens.refresh`. Each rule's message says the way out. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import type { RefreshPolicy } from './refresh-policy.js';

type Report = (path: readonly (string | number)[], message: string) => void;

/** A stolen token works beside the person's own for this long, unnoticed. Other servers allow up to a minute. */
const longestGraceMs = 60_000;

export function checkRefresh(policy: RefreshPolicy, allowsShort: boolean, report: Report): void {
  const { unused, sameOrigin, inactive, grace, keepAddress, keepDead, longestLifetime } = policy;
  if (!allowsShort) {
    const days = { unused, sameOrigin, inactive, keepAddress, keepDead, longestLifetime };
    for (const [field, ms] of Object.entries(days)) {
      if (typeof ms === 'number' && ms < dayMs) {
        report(
          [field],
          `${formatDuration(ms)} is shorter than a day. Write at least 1d, or set allowShortDurations: true (for demonstrations and tests)`,
        );
      }
    }
  }
  if (grace > longestGraceMs) {
    report(
      ['grace'],
      `${formatDuration(grace)} is longer than ${formatDuration(longestGraceMs)}: a stolen token would work unnoticed for as long. Shorten it`,
    );
  }
  if (sameOrigin === null) return;
  if (sameOrigin >= unused) {
    report(
      ['sameOrigin'],
      `is not shorter than unused (${formatDuration(unused)}) and would never apply. Shorten it, or write off`,
    );
  }
  if (keepAddress <= sameOrigin) {
    report(
      ['keepAddress'],
      `is not longer than sameOrigin (${formatDuration(sameOrigin)}): addresses would be cut before they are compared. Lengthen it, or write sameOrigin: off`,
    );
  }
}
