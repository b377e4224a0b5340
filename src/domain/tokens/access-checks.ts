/** The rules for a policy's `tokens.access`. Each rule's message says the way out. Pure. */
import { formatDuration, secondMs } from '../duration.js';
import type { AccessTokensPolicy } from './access-policy.js';

type Report = (path: readonly (string | number)[], message: string) => void;

const minuteMs = 60_000;
/** Rows of uses are kept for longer (src/tokens/access/uses-table.ts), so that no use that is over is forgotten while its token lives. */
export const longestLifetimeMs = 24 * 60 * minuteMs;
const longestLeewayMs = 5 * minuteMs;
/** Of the shortest idle limit: a use is written well before it could end the token. */
const leastShareOfIdle = 5;

export function checkAccessTokens(policy: AccessTokensPolicy, allowsShort: boolean, report: Report): void {
  const shortest = shortestTokenIdle(policy);
  if (policy.lifetime > longestLifetimeMs) {
    report(['lifetime'], `is longer than ${formatDuration(longestLifetimeMs)}. Shorten it`);
  }
  if (policy.idle > policy.lifetime) {
    report(
      ['idle'],
      `is longer than the longest life of a token (${formatDuration(policy.lifetime)}) and would never apply. Shorten it`,
    );
  }
  for (const [path, idles] of [
    ['routes', policy.routes],
    ['roles', policy.roles],
  ] as const) {
    for (const [key, ms] of Object.entries(idles)) {
      if (ms > policy.idle) {
        report(
          [path, key],
          `is longer than the idle limit of all (${formatDuration(policy.idle)}) and would never apply: the strictest limit counts. Shorten it, or lengthen "idle"`,
        );
      }
    }
  }
  if (!allowsShort && shortest < minuteMs) {
    report(
      ['idle'],
      `holds a limit of ${formatDuration(shortest)}, below a minute. Write at least 1m, or set allowShortDurations: true`,
    );
  }
  if (policy.writeEvery * leastShareOfIdle > shortest) {
    report(
      ['writeEvery'],
      `is longer than a fifth of the shortest idle limit (${formatDuration(shortest)}): a use could be written after the token ended. ${shorterWrites(shortest)}`,
    );
  }
  if (policy.warnBefore * 2 > shortest) {
    report(
      ['warnBefore'],
      `is longer than half of the shortest idle limit (${formatDuration(shortest)}): each answer would warn. Shorten it`,
    );
  }
  if (policy.leeway > longestLeewayMs) {
    report(
      ['leeway'],
      `is longer than ${formatDuration(longestLeewayMs)}. Shorten it, and set the clocks of issuer and app`,
    );
  }
}

/** A policy writes durations in whole seconds. */
function shorterWrites(shortest: number): string {
  const seconds = Math.floor(shortest / leastShareOfIdle / secondMs);
  return seconds > 0
    ? `Write ${formatDuration(seconds * secondMs)} at most`
    : `Lengthen the limit to ${formatDuration(leastShareOfIdle * secondMs)} at least`;
}

/** The shortest idle limit that any request can be under, milliseconds. */
export function shortestTokenIdle({ idle, routes, roles }: AccessTokensPolicy): number {
  return Math.min(idle, ...Object.values(routes), ...Object.values(roles));
}
