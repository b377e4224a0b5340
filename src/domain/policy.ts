/**
 * The inactivity policy: its schema, with every duration in milliseconds once parsed. Pure. The default figures are
 * those of the project's seed documents (policies/default.yaml).
 */
import { z } from 'zod';
import { dayMs, formatDuration } from './duration.js';
import { exemptionKinds } from './exemption.js';
import { opaqueNamePattern, policyIdPattern } from './names.js';
import { breakerSection } from './policy-breaker.js';
import { deletionSection } from './policy-deletion.js';
import { duration, durationForm } from './policy-duration.js';
import { checkSelfService } from './policy-self-service.js';
import { type DestructiveRung, destructiveRungs, type RungName, rungNames } from './rungs.js';
import { activityKinds } from './sign-of-life.js';

const kinds = z.array(z.enum(activityKinds)).min(1);

/** Kinds of activity that count for this rung, where they differ from the policy's `keepsAlive`. */
const ownKinds = { keepsAlive: kinds.optional() };

const mailRung = z.strictObject({ after: duration, ...ownKinds });

const suspendRung = z.strictObject({
  after: duration,
  ...ownKinds,
  /** Least time between the warning mail and the suspension, however long overdue the identity is. */
  noticeFloor: duration,
});

const destructiveRung = z.strictObject({
  after: duration,
  ...ownKinds,
  /** Leads of the notices ahead of the rung, longest first. */
  notices: z
    .array(duration)
    .min(1, 'a destructive rung needs at least one notice ahead of it, for example [7d]'),
  /** Least time between the first accepted notice and the rung (design, invariant 2). */
  noticeFloor: duration,
  /** What happens when no notice can be delivered: `proceed` or `wait` for an address or an operator. */
  withoutNotice: z.enum(['proceed', 'wait']),
  /** Whether a mail tells the person afterwards what was done. */
  mailAfter: z.boolean().default(false),
});

const deleteRung = destructiveRung.extend({
  withoutNotice: z
    .literal('wait', {
      error: 'deletion without an accepted notice is never allowed: write "wait", or leave the field out',
    })
    .default('wait'),
});

const ladder = z.strictObject({
  warn: mailRung.optional(),
  suspend: suspendRung.optional(),
  revoke: destructiveRung.optional(),
  winback: mailRung.optional(),
  deactivate: destructiveRung.optional(),
  delete: deleteRung.optional(),
});
export type Ladder = z.infer<typeof ladder>;

const ladderOverride = z.strictObject({
  warn: mailRung.partial().optional(),
  suspend: suspendRung.partial().optional(),
  revoke: destructiveRung.omit({ mailAfter: true }).partial().optional(),
  winback: mailRung.partial().optional(),
  deactivate: destructiveRung.omit({ mailAfter: true }).partial().optional(),
  delete: deleteRung.omit({ mailAfter: true, withoutNotice: true }).partial().optional(),
});

const application = z.enum(['ladder', 'never'], {
  error: 'write "ladder" (the policy applies) or "never" (exempt)',
});

/** What people may do by a link in a mail; what is left out is not allowed. */
const selfService = z.strictObject({
  reactivation: z
    .strictObject({
      /** How long the link that ends a deactivation holds. */
      linkLifetime: duration,
      /** Roles that an operator has to bring back. */
      exceptRoles: z.array(z.string().min(1).max(64)).default([]),
    })
    .optional(),
  /** "Keep my account" in notices. */
  keep: z
    .strictObject({
      rungs: z
        .array(z.enum(destructiveRungs, { error: `name rungs with notices: ${destructiveRungs.join(', ')}` }))
        .min(1, 'is empty. Name at least one rung, for example [delete], or leave "keep" out'),
      postpones: duration,
      /** Postponements of one rung in one absence. */
      times: z.int().min(1).max(20),
    })
    .optional(),
});

const retry = z.strictObject({
  /** Attempts of one step before it is parked for an operator. */
  attempts: z.int().min(1).max(1000),
  firstAfter: duration,
  longestAfter: duration,
});

const identityUuid = z.uuid('is not a UUID. Name identities by their Kratos id');

/** A bare id, or with what a later reader needs to know; whatever has no owner shows in the work list. */
const excludedIdentity = z.union(
  [
    identityUuid.transform((id) => ({ id })),
    z.strictObject({
      id: identityUuid,
      kind: z.enum(exemptionKinds).optional(),
      owner: z
        .string()
        .regex(opaqueNamePattern, 'takes an opaque id or the name of a team, never an e-mail address')
        .optional(),
      /** When somebody has to look whether it is still right. The exclusion stays in force after that. */
      reviewAt: z.iso
        .date('is not a date. Write it as 2027-01-31')
        .transform((text) => Date.parse(text))
        .optional(),
    }),
  ],
  { error: 'is not a UUID. Name identities by their Kratos id, alone or as { id, kind, owner, reviewAt }' },
);

const policyObject = z.strictObject({
  id: z.string().regex(policyIdPattern, 'takes lower-case letters, digits and hyphens, 32 at most'),
  description: z.string().max(500).optional(),
  /** Durations below a day are refused unless this is true: a slip of `30s` for `30d` would end every session. */
  allowShortDurations: z.boolean().default(false),
  ladder,
  /** Kinds of activity that keep an account alive. */
  keepsAlive: kinds.default(['human', 'token']),
  /**
   * At the bottom of the ladder, a workflow hears of activity at most once in this time (never more than a twentieth of
   * the shortest rung). PostgreSQL has every sign of life, and the workflow reads it when it wakes.
   */
  signalWindow: duration.default(dayMs),
  /** Per role, values that differ from the ladder's; `never` exempts. */
  roles: z
    .record(
      z.string().min(1).max(64),
      z.union([z.literal('never'), ladderOverride], {
        error: 'write "never" (exempt), or the rungs whose values differ from the ladder\'s',
      }),
    )
    .default({}),
  /** Per `metadata_admin.account_type`. */
  accountTypes: z.record(z.string().min(1).max(64), application).default({}),
  /** Whether `metadata_admin.skip_stale_revocation` opts an identity out. */
  honourOptOut: z.boolean().default(true),
  exclusions: z
    .strictObject({
      /** Break-glass accounts and the like: never touched. */
      identities: z.array(excludedIdentity).default([]),
      /** Kratos identity schemas whose identities are never touched. */
      schemas: z.array(z.string().min(1)).default([]),
    })
    .default({ identities: [], schemas: [] }),
  /** Spread of deadlines, so that a backlog does not act in one instant. */
  jitter: z
    .union([duration, z.literal('none').transform(() => 0)], {
      error: `is neither "none" nor a duration. ${durationForm}`,
    })
    .default(0),
  /** How many destructive acts are normal; above it they wait for an operator (design, invariant 7). */
  breaker: breakerSection,
  /** What the rung `delete` does, in which parts. */
  deletion: deletionSection,
  /** How often something that blocks (exempt, disabled by an admin, no address) is looked at again. */
  recheck: duration,
  selfService: selfService.optional(),
  retry,
});

export type Policy = z.infer<typeof policyObject>;
export type Issues = z.core.ParsePayload<Policy>['issues'];

export function report(issues: Issues, input: Policy, path: (string | number)[], message: string): void {
  issues.push({ code: 'custom', message, path, input });
}

/** `policies/x.yaml` may hold only what a ladder can keep; each rule's message says the way out. */
export const policySchema = policyObject.check((payload) => {
  const { value: policy, issues } = payload;
  if (rungNames.every((rung) => policy.ladder[rung] === undefined)) {
    report(issues, policy, ['ladder'], `has no rung. Add at least one of: ${rungNames.join(', ')}`);
  }
  checkLadder(policy, policy.ladder, ['ladder'], issues);
  const ofLadder = new Set(issues.map(({ path, message }) => JSON.stringify([path?.slice(1), message])));
  for (const [role, override] of Object.entries(policy.roles)) {
    if (override === 'never') continue;
    for (const rung of rungNames) {
      if (override[rung] !== undefined && policy.ladder[rung] === undefined) {
        report(
          issues,
          policy,
          ['roles', role, rung],
          `the ladder has no rung "${rung}" to override. Add it to the ladder`,
        );
      }
    }
    const ofRole: Issues = [];
    checkLadder(policy, withOverride(policy.ladder, override), ['roles', role], ofRole);
    // What is wrong in the ladder already is said there, once.
    issues.push(
      ...ofRole.filter(({ path, message }) => !ofLadder.has(JSON.stringify([path?.slice(2), message]))),
    );
  }
  checkDeletion(policy, issues);
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
  checkSelfService(policy, issues);
  if (policy.retry.longestAfter < policy.retry.firstAfter) {
    report(issues, policy, ['retry', 'longestAfter'], 'is shorter than firstAfter. Make it at least as long');
  }
  if (policy.accountTypes.regular === 'never') {
    report(
      issues,
      policy,
      ['accountTypes', 'regular'],
      'would exempt everybody: identities without an account type are regular',
    );
  }
});

function checkDeletion(policy: Policy, issues: Issues): void {
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

function checkLadder(policy: Policy, candidate: Ladder, path: string[], issues: Issues): void {
  checkShortDurations(policy, candidate, path, issues);
  checkOrder(policy, candidate, path, issues);
  checkNotices(policy, candidate, path, issues);
}

function checkShortDurations(policy: Policy, candidate: Ladder, path: string[], issues: Issues): void {
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

/** The base ladder must ascend; an override may pull a harsher rung forward, and milder ones behind it then fall away. */
function checkOrder(policy: Policy, candidate: Ladder, path: string[], issues: Issues): void {
  if (path[0] !== 'ladder') return;
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

function checkNotices(policy: Policy, candidate: Ladder, path: string[], issues: Issues): void {
  const { warn, suspend } = candidate;
  if (warn && suspend && suspend.after > warn.after && suspend.noticeFloor > suspend.after - warn.after) {
    report(
      issues,
      policy,
      [...path, 'suspend', 'noticeFloor'],
      `is longer than the time between warn and suspend (${formatDuration(suspend.after - warn.after)}). Shorten it`,
    );
  }
  for (const rung of destructiveRungs) checkRungNotices(policy, candidate, rung, path, issues);
}

function checkRungNotices(
  policy: Policy,
  candidate: Ladder,
  rung: DestructiveRung,
  path: string[],
  issues: Issues,
): void {
  const values = candidate[rung];
  const longest = values?.notices[0];
  if (values === undefined || longest === undefined) return;
  const effective = effectiveRungs(candidate);
  // A rung that fell away behind a harsher one gives no notice.
  if (path[0] !== 'ladder' && !effective.some(([name]) => name === rung)) return;
  if (values.notices.some((lead, index) => index > 0 && lead >= (values.notices[index - 1] ?? 0))) {
    report(issues, policy, [...path, rung, 'notices'], 'must descend: the longest lead first, no two alike');
    return;
  }
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

/** Lays an override over a ladder, field by field. */
export function withOverride(base: Ladder, override: z.infer<typeof ladderOverride>): Ladder {
  const result: Record<string, unknown> = { ...base };
  for (const rung of rungNames) {
    if (override[rung] !== undefined && base[rung] !== undefined)
      result[rung] = { ...base[rung], ...override[rung] };
  }
  return result as Ladder;
}

/** One rung of a ladder with the fields that all have. */
type AnyRung = NonNullable<Ladder[RungName]>;

/**
 * The rungs in the order in which they come due. Where an override pulled a harsher rung forward (an admin's
 * revocation after 7 days), `warn` and `suspend` behind it fall away: they would announce what has happened already.
 */
export function effectiveRungs(candidate: Ladder): [RungName, AnyRung][] {
  const present = rungNames.flatMap((rung): [RungName, AnyRung][] => {
    const values = candidate[rung];
    return values === undefined ? [] : [[rung, values]];
  });
  const subsumed = ([rung, values]: [RungName, AnyRung]): boolean =>
    present.some(
      ([other, otherValues]) =>
        other !== 'winback' &&
        rungNames.indexOf(other) > rungNames.indexOf(rung) &&
        otherValues.after <= values.after,
    );
  const kept = present.filter((entry) => !subsumed(entry));
  return withWarningAhead(candidate, kept).sort(([, a], [, b]) => a.after - b.after);
}

/**
 * Nobody is suspended without a warning where the ladder has one: an override that pulls `suspend` before `warn` takes the
 * warning along, at the floor's distance where there is room for it.
 */
function withWarningAhead({ warn }: Ladder, kept: [RungName, AnyRung][]): [RungName, AnyRung][] {
  const suspend = kept.find(([rung]) => rung === 'suspend')?.[1];
  if (warn === undefined || suspend === undefined || kept.some(([rung]) => rung === 'warn')) return kept;
  const floor = 'noticeFloor' in suspend ? suspend.noticeFloor : 0;
  const after = Math.max(suspend.after - floor, Math.floor(suspend.after / 2));
  return [['warn', { ...warn, after }], ...kept];
}
