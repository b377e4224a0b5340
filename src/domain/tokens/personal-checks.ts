/** The rules for a policy's `tokens.personal`. Each rule's message says the way out. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import { shortestInactive } from './personal-limits.js';
import type { PersonalTokensPolicy } from './personal-policy.js';

type Report = (path: readonly (string | number)[], message: string) => void;

export function checkPersonalTokens(
  policy: PersonalTokensPolicy,
  allowsShort: boolean,
  report: Report,
): void {
  if (!allowsShort) {
    for (const [path, ms] of durationsOf(policy)) {
      if (ms >= dayMs) continue;
      report(
        path,
        `${formatDuration(ms)} is shorter than a day. Write at least 1d, or set allowShortDurations: true (for demonstrations and tests)`,
      );
    }
  }
  const shortest = shortestInactive(policy);
  // A use that waits for its write must not be older than what ends the token.
  const isReported = !allowsShort && shortest !== null && shortest < dayMs;
  if (shortest !== null && !isReported && policy.writeEvery * 4 > shortest) {
    report(
      ['writeEvery'],
      `is longer than a quarter of the shortest time without a use (${formatDuration(shortest)}). Shorten it`,
    );
  }
  const { notices } = policy;
  if (notices.some((lead, index) => index > 0 && lead >= (notices[index - 1] ?? 0))) {
    report(['notices'], 'must descend: the longest lead first, no two alike');
  }
  checkCeilings(policy, report);
}

/** A ceiling above what holds for all tokens would never apply. */
function checkCeilings(policy: PersonalTokensPolicy, report: Report): void {
  for (const [role, { inactive, longestLifetime }] of Object.entries(policy.roles)) {
    const mostInactive = most([policy.inactive, ...ofTypes(policy, 'inactive')]);
    if (inactive !== undefined && mostInactive !== null && inactive > mostInactive) {
      report(
        ['roles', role, 'inactive'],
        `is longer than that of every type (${formatDuration(mostInactive)}) and would never apply: the strictest limit counts. Shorten it`,
      );
    }
    const mostLifetime = most([policy.longestLifetime ?? null, ...ofTypes(policy, 'longestLifetime')]);
    if (longestLifetime !== undefined && mostLifetime !== null && longestLifetime > mostLifetime) {
      report(
        ['roles', role, 'longestLifetime'],
        `is longer than that of every type (${formatDuration(mostLifetime)}) and would never apply: the strictest limit counts. Shorten it`,
      );
    }
  }
}

function ofTypes(policy: PersonalTokensPolicy, field: 'inactive' | 'longestLifetime'): (number | null)[] {
  return Object.values(policy.types).flatMap((limits) => {
    const limit = limits[field];
    return limit === undefined ? [] : [limit];
  });
}

/** `null`: one of them is without limit. */
function most(limits: readonly (number | null)[]): number | null {
  return limits.reduce<number | null>(
    (longest, ms) => (longest === null || ms === null ? null : Math.max(longest, ms)),
    0,
  );
}

function durationsOf(policy: PersonalTokensPolicy): [(string | number)[], number][] {
  const of = (path: string[], limits: { inactive?: number | null; longestLifetime?: number }) =>
    (['inactive', 'longestLifetime'] as const).flatMap((field): [string[], number][] => {
      const ms = limits[field];
      return typeof ms === 'number' ? [[[...path, field], ms]] : [];
    });
  return [
    ...of([], policy),
    ...Object.entries(policy.types).flatMap(([type, limits]) => of(['types', type], limits)),
    ...Object.entries(policy.roles).flatMap(([role, limits]) => of(['roles', role], limits)),
  ];
}
