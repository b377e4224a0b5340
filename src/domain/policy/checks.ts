/** The rules for a ladder and the settings around it. Each rule's message says the way out. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import { type DestructiveRung, destructiveRungs, type RungName, rungNames } from '../rungs.js';
import { type Issues, report } from './issues.js';
import { effectiveRungs, type Ladder } from './ladder.js';
import type { Policy } from './schema.js';

export function checkDeletion(policy: Policy, issues: Issues): void {
  const { deletion, ladder: rungs } = policy;
  const at = (field: string, message: string) => report(issues, policy, ['deletion', field], message);
  if (deletion.action === 'anonymise' && deletion.anonymousTraits === undefined) {
    at(
      'anonymousTraits',
      'is missing. Say which traits the shell keeps, as {email: "deleted-{id}@example.invalid"}',
    );
  }
  if (deletion.coolDown === undefined) return;
  if (rungs.delete === undefined || rungs.deactivate === undefined) {
    at('coolDown', 'needs the rungs deactivate and delete. Add them, or leave it out');
  } else if (deletion.coolDown > rungs.delete.after - rungs.deactivate.after) {
    const between = formatDuration(rungs.delete.after - rungs.deactivate.after);
    at('coolDown', `is longer than the time between deactivate and delete (${between}). Shorten it`);
  }
}

export function checkBreaker(policy: Policy, issues: Issues): void {
  if (!policy.allowShortDurations && policy.breaker.window < dayMs) {
    report(
      issues,
      policy,
      ['breaker', 'window'],
      `${formatDuration(policy.breaker.window)} is shorter than a day: the limits would be allowed again and again. Write at least 1d, or set allowShortDurations: true`,
    );
  }
  if (policy.breaker.stall !== 'off' && policy.breaker.stall.baseline < 3 * policy.breaker.stall.window) {
    report(
      issues,
      policy,
      ['breaker', 'stall', 'baseline'],
      'holds fewer than three windows, which say nothing about what is normal. Lengthen it',
    );
  }
}

/** A ladder as it is written, or one that an override has changed. */
type Kind = 'base' | 'overridden';
type Path = readonly (string | number)[];

export function checkLadder(policy: Policy, candidate: Ladder, path: Path, kind: Kind, issues: Issues): void {
  checkShortDurations(policy, candidate, path, issues);
  if (kind === 'base') checkOrder(policy, candidate, path, issues);
  checkNotices(policy, candidate, path, kind, issues);
}

function checkShortDurations(policy: Policy, candidate: Ladder, path: Path, issues: Issues): void {
  if (policy.allowShortDurations) return;
  for (const rung of rungNames) {
    const values = candidate[rung];
    if (values === undefined) continue;
    for (const [field, value] of Object.entries(values)) {
      const durations = Array.isArray(value) ? value : [value];
      for (const item of durations) {
        if (typeof item === 'number' && item < dayMs) {
          report(
            issues,
            policy,
            [...path, rung, field],
            `${formatDuration(item)} is shorter than a day. Write at least 1d, or set allowShortDurations: true (for demonstrations and tests)`,
          );
        }
      }
    }
  }
}

/**
 * A base ladder must ascend. An override may pull a harsher rung forward, and milder
 * rungs behind it are then dropped.
 */
function checkOrder(policy: Policy, candidate: Ladder, path: Path, issues: Issues): void {
  let previous: { rung: RungName; after: number } | undefined;
  for (const rung of rungNames) {
    const after = candidate[rung]?.after;
    if (after === undefined) continue;
    if (previous !== undefined && after <= previous.after) {
      report(
        issues,
        policy,
        [...path, rung, 'after'],
        `${formatDuration(after)} is not later than ${previous.rung} (${formatDuration(previous.after)}). Rungs ascend in the order ${rungNames.join(', ')}`,
      );
    }
    previous = { rung, after };
  }
}

function checkNotices(policy: Policy, candidate: Ladder, path: Path, kind: Kind, issues: Issues): void {
  const { warn, suspend } = candidate;
  if (warn && suspend && suspend.after > warn.after && suspend.noticeFloor > suspend.after - warn.after) {
    report(
      issues,
      policy,
      [...path, 'suspend', 'noticeFloor'],
      `is longer than the time between warn and suspend (${formatDuration(suspend.after - warn.after)}). Shorten it`,
    );
  }
  for (const rung of destructiveRungs) checkRungNotices(policy, candidate, rung, path, kind, issues);
}

function checkRungNotices(
  policy: Policy,
  candidate: Ladder,
  rung: DestructiveRung,
  path: Path,
  kind: Kind,
  issues: Issues,
): void {
  const values = candidate[rung];
  const longest = values?.notices[0];
  if (values === undefined || longest === undefined) return;
  const effective = effectiveRungs(candidate);
  // A rung that was dropped behind a harsher one gives no notice.
  if (kind === 'overridden' && !effective.some(([name]) => name === rung)) return;
  if (values.notices.some((lead, index) => index > 0 && lead >= (values.notices[index - 1] ?? 0))) {
    report(issues, policy, [...path, rung, 'notices'], 'must descend: the longest lead first, no two alike');
    return;
  }
  // guard: a policy whose notice comes later than its floor is refused
  if (values.noticeFloor > longest) {
    report(
      issues,
      policy,
      [...path, rung, 'noticeFloor'],
      `${formatDuration(values.noticeFloor)} is longer than the first notice's lead (${formatDuration(longest)}). Give notice earlier, or shorten the floor`,
    );
  }
  const before = effective.filter(([name, v]) => name !== rung && v.after < values.after);
  const previous = Math.max(0, ...before.map(([, v]) => v.after));
  if (values.after - longest < previous || values.after - longest <= 0) {
    report(
      issues,
      policy,
      [...path, rung, 'notices'],
      `the first notice (${formatDuration(longest)} ahead) would come before the rung that precedes ${rung}. Shorten its lead to at most ${formatDuration(values.after - previous)}`,
    );
  }
}
