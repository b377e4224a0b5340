/** The rules for a policy's `sessions`. Each rule's message says the way out. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import { shortestIdle } from './limits.js';
import type { Limits, SessionsPolicy } from './policy.js';

type Report = (path: readonly (string | number)[], message: string) => void;

const minuteMs = 60_000;
/** Rows of ended sessions are kept as long, so that none comes back (src/sessions/sessions-table.ts). */
export const longestSessionMs = 400 * dayMs;
/** WCAG 2.2.1: a person has at least 20 seconds to answer a warning. */
const leastWarningMs = 20_000;

export function checkSessions(policy: SessionsPolicy, allowsShort: boolean, report: Report): void {
  checkIdle(policy, report);
  checkWarning(policy, allowsShort, report);
  checkChoices(policy, report);
  if (policy.lease.beat * 2 > (shortestIdle(policy) ?? Number.POSITIVE_INFINITY)) {
    report(
      ['lease', 'beat'],
      `is longer than half of the shortest idle limit (${formatDuration(shortestIdle(policy) ?? 0)}), so that one lost beat would end an operation. Shorten it`,
    );
  }
  if (policy.idle !== null && policy.lease.atMost < policy.idle) {
    report(['lease', 'atMost'], 'is shorter than the idle limit and would keep nothing. Lengthen it');
  }
}

function checkIdle(policy: SessionsPolicy, report: Report): void {
  const longest = [policy.idle, policy.devices.mobile, policy.devices.desktop];
  const { absolute } = policy;
  if (absolute > longestSessionMs) {
    report(['absolute'], `is longer than ${formatDuration(longestSessionMs)}. Shorten it`);
  }
  const beyond = (path: string[], idle: number | null | undefined) => {
    if (typeof idle === 'number' && idle > absolute)
      report(
        path,
        `is longer than the absolute limit (${formatDuration(absolute)}) and would never apply. Shorten it`,
      );
  };
  beyond(['idle'], policy.idle);
  beyond(['devices', 'mobile'], policy.devices.mobile);
  beyond(['devices', 'desktop'], policy.devices.desktop);
  const most = longest.includes(null)
    ? null
    : Math.max(...longest.filter((ms): ms is number => typeof ms === 'number'));
  const useless = (path: string[], idle: number | undefined) => {
    if (idle === undefined) return;
    if (most !== null && idle > most) {
      report(
        path,
        `is longer than every idle limit of a device (${formatDuration(most)}) and would never apply: the strictest limit counts. Shorten it, or lengthen "idle"`,
      );
    }
  };
  for (const [route, idle] of Object.entries(policy.routes)) useless(['routes', route], idle);
  for (const [role, idle] of Object.entries(policy.choices?.ceilings ?? {})) {
    useless(['choices', 'ceilings', role], idle);
  }
  const named: [string[], Limits][] = [
    ...Object.entries(policy.roles).map(([role, limits]): [string[], Limits] => [['roles', role], limits]),
    ...Object.entries(policy.assurance).flatMap(([level, limits]): [string[], Limits][] =>
      limits === undefined ? [] : [[['assurance', level], limits]],
    ),
  ];
  for (const [path, limits] of named) {
    useless(path, limits.idle);
    if (limits.absolute !== undefined && limits.absolute > absolute) {
      report(path, `has an absolute limit beyond that of all (${formatDuration(absolute)}). Shorten it`);
    }
  }
}

function checkWarning(policy: SessionsPolicy, allowsShort: boolean, report: Report): void {
  const shortest = shortestIdle(policy);
  if (!allowsShort && policy.warnBefore < leastWarningMs) {
    report(
      ['warnBefore'],
      'is shorter than 20s, which is too short to answer (WCAG 2.2.1). Write at least 20s, or set allowShortDurations: true',
    );
  }
  if (shortest === undefined) return;
  if (!allowsShort && shortest < minuteMs) {
    report(
      ['idle'],
      `holds a limit of ${formatDuration(shortest)}, below a minute. Write at least 1m, or set allowShortDurations: true`,
    );
  }
  if (policy.warnBefore * 2 > shortest) {
    report(
      ['warnBefore'],
      `is longer than half of the shortest idle limit (${formatDuration(shortest)}): people would be warned all the time. Shorten it`,
    );
  }
}

function checkChoices({ choices }: SessionsPolicy, report: Report): void {
  if (choices === undefined) return;
  const seen = new Set<number>();
  for (const [index, ms] of choices.offered.entries()) {
    if (seen.has(ms)) report(['choices', 'offered', index], 'is offered twice. Take one out');
    seen.add(ms);
  }
}
