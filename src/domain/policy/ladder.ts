/** The rungs of a policy: their schema, and how overrides change them. Pure. */
import { z } from 'zod';
import { type RungName, rungNames } from '../rungs.js';
import { signKinds } from '../sign-of-life.js';
import { duration } from './duration.js';

export const kinds = z.array(z.enum(signKinds)).min(1);

/** Kinds of signs of life that count for this rung, where they differ from the policy's `keepsAlive`. */
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
  /** Least time between the first accepted notice and the rung (docs/architecture.md, invariant 2). */
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

export const ladder = z.strictObject({
  warn: mailRung.optional(),
  suspend: suspendRung.optional(),
  revoke: destructiveRung.optional(),
  winback: mailRung.optional(),
  deactivate: destructiveRung.optional(),
  delete: deleteRung.optional(),
});
export type Ladder = z.infer<typeof ladder>;

export const ladderOverride = z.strictObject({
  warn: mailRung.partial().optional(),
  suspend: suspendRung.partial().optional(),
  revoke: destructiveRung.omit({ mailAfter: true }).partial().optional(),
  winback: mailRung.partial().optional(),
  deactivate: destructiveRung.omit({ mailAfter: true }).partial().optional(),
  delete: deleteRung.omit({ mailAfter: true, withoutNotice: true }).partial().optional(),
});

export type LadderOverride = z.infer<typeof ladderOverride>;

/** Applies an override to a ladder, field by field. */
export function withOverride(base: Ladder, override: LadderOverride): Ladder {
  const result: Record<string, unknown> = { ...base };
  for (const rung of rungNames) {
    if (override[rung] !== undefined && base[rung] !== undefined)
      result[rung] = { ...base[rung], ...override[rung] };
  }
  return result as Ladder;
}

/** One rung of a ladder with the fields that all rungs have. */
type AnyRung = NonNullable<Ladder[RungName]>;

/**
 * The rungs in the order of their deadlines. Where an override pulled a harsher rung forward (an
 * admin's revocation after 7 days), `warn` and `suspend` behind it are dropped: they would
 * announce what has already happened.
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
 * Where the ladder has a warning, a suspension always follows one. An override that pulls `suspend` before
 * `warn` also pulls the warning forward, to the floor's distance where there is room for it.
 */
function withWarningAhead({ warn }: Ladder, kept: [RungName, AnyRung][]): [RungName, AnyRung][] {
  const suspend = kept.find(([rung]) => rung === 'suspend')?.[1];
  if (warn === undefined || suspend === undefined || kept.some(([rung]) => rung === 'warn')) return kept;
  const floor = 'noticeFloor' in suspend ? suspend.noticeFloor : 0;
  const after = Math.max(suspend.after - floor, Math.floor(suspend.after / 2));
  return [['warn', { ...warn, after }], ...kept];
}
