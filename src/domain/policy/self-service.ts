/** The rules for a policy's `selfService`. Each rule's message says the way out. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import type { DestructiveRung } from '../rungs.js';
import { type Issues, report } from './issues.js';
import { withOverride } from './ladder.js';
import type { Policy } from './schema.js';

/** Some servers delay mail from unknown senders by minutes; a link must outlive that. */
const shortestLinkMs = 600_000;
/** While it is valid, a link that ends a deactivation is a key to the account. */
const longestLinkMs = 7 * dayMs;

export function checkSelfService(policy: Policy, issues: Issues): void {
  checkReactivation(policy, issues);
  checkKeep(policy, issues);
}

function checkReactivation(policy: Policy, issues: Issues): void {
  const reactivation = policy.selfService?.reactivation;
  if (reactivation === undefined) return;
  const path = ['selfService', 'reactivation'];
  if (policy.ladder.deactivate === undefined) {
    const message = 'the ladder has no rung "deactivate" to come back from. Add the rung, or leave this out';
    report(issues, policy, path, message);
  }
  const { linkLifetime } = reactivation;
  const field = [...path, 'linkLifetime'];
  if (linkLifetime > longestLinkMs) {
    const message = `${formatDuration(linkLifetime)} is longer than 7d: whoever reads the mail until then can use it. Shorten it`;
    report(issues, policy, field, message);
  }
  if (linkLifetime < shortestLinkMs && !policy.allowShortDurations) {
    const message = `${formatDuration(linkLifetime)} is shorter than a mail may take. Write at least 10m, or set allowShortDurations: true (for demonstrations and tests)`;
    report(issues, policy, field, message);
  }
}

function checkKeep(policy: Policy, issues: Issues): void {
  const keep = policy.selfService?.keep;
  if (keep === undefined) return;
  const path = ['selfService', 'keep'];
  if (new Set(keep.rungs).size < keep.rungs.length) {
    report(issues, policy, [...path, 'rungs'], 'names a rung twice. Take one out');
  }
  for (const rung of keep.rungs) {
    if (policy.ladder[rung] !== undefined) continue;
    const message = `the ladder has no rung "${rung}" to postpone. Add it to the ladder, or take it out here`;
    report(issues, policy, [...path, 'rungs'], message);
  }
  if (keep.postpones < dayMs && !policy.allowShortDurations) {
    const message = `${formatDuration(keep.postpones)} is shorter than a day. Write at least 1d, or set allowShortDurations: true (for demonstrations and tests)`;
    report(issues, policy, [...path, 'postpones'], message);
  }
  // Leads that are wrong themselves are reported where they stand.
  if (issues.length === 0) checkLeads(policy, keep, issues);
}

/**
 * Every notice is given again before the new date. A lead longer than the postponement would be overdue at
 * once, so that pressing the button would trigger the next announcement.
 */
function checkLeads(
  policy: Policy,
  keep: { readonly rungs: readonly DestructiveRung[]; readonly postpones: number },
  issues: Issues,
): void {
  const overrides = Object.values(policy.roles).flatMap((one) => (one === 'never' ? [] : [one]));
  const ladders = [policy.ladder, ...overrides.map((override) => withOverride(policy.ladder, override))];
  for (const rung of keep.rungs) {
    const longest = Math.max(0, ...ladders.flatMap((ladder) => ladder[rung]?.notices ?? []));
    if (keep.postpones >= longest) continue;
    const message = `${formatDuration(keep.postpones)} is shorter than the longest lead of the notices of ${rung} (${formatDuration(longest)}), which are given anew before the new date. Write at least ${formatDuration(longest)}`;
    report(issues, policy, ['selfService', 'keep', 'postpones'], message);
  }
}
