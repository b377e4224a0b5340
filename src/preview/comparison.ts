/** One person under two policies: both courses, what moves, and why. Pure. */
import { dayMs, describeElapsed, formatDuration } from '../domain/duration.js';
import { type Plan, type PlanRung, planFor } from '../domain/plan.js';
import type { Policy } from '../domain/policy/schema.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { type RungName, rungNames, type Stage } from '../domain/rungs.js';
import { courseOf } from '../forecast/course.js';
import type { Course } from '../forecast/deed.js';
import { lifeOf } from '../forecast/life-of.js';
import type { Member } from './people.js';

/** The policy in force, and the one that is previewed. */
export interface Two {
  readonly before: { readonly policy: Policy; readonly reference: PolicyReference };
  readonly after: { readonly policy: Policy; readonly reference: PolicyReference };
}

/** When each rung comes, epoch milliseconds. Absent: not within the horizon. */
export type RungDates = Readonly<Partial<Record<RungName, number>>>;

/** `earlier`: some rung comes earlier, or only now. Otherwise `later`: some rung comes later, or no more. */
export type Move = 'earlier' | 'later' | 'same';

export interface Comparison {
  readonly identityId: string;
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly lastActiveAt: number;
  readonly before: Course;
  readonly after: Course;
  readonly datesBefore: RungDates;
  readonly datesAfter: RungDates;
  readonly move: Move;
  /** The rung that moves furthest in that direction, and by how many days. Absent: none moves, or the rung is new or gone. */
  readonly rung?: RungName;
  readonly days?: number;
  /** One sentence; empty where nothing moves. */
  readonly why: string;
}

/** Less than this is the spread of deadlines, and no move. Milliseconds. */
const leastMoveMs = 6 * 3_600_000;

/**
 * @param now when everybody is looked at, epoch milliseconds
 * @param until the horizon, epoch milliseconds
 */
export function compare({ subject, known }: Member, two: Two, now: number, until: number): Comparison {
  const planBefore = planFor(two.before.policy, two.before.reference, subject);
  const planAfter = planFor(two.after.policy, two.after.reference, subject);
  const all = { ...known, planInForce: planBefore };
  const before = courseOf(lifeOf(all, planBefore, now), now, until);
  const after = courseOf(lifeOf(all, planAfter, now), now, until);
  const [datesBefore, datesAfter] = [datesOf(before), datesOf(after)];
  const moved = moveOf(datesBefore, datesAfter, until);
  const { identityId, stage, lastActiveAt } = known.standing;
  const why = moved.move === 'same' ? '' : whyOf(planBefore, planAfter, moved.rung);
  return { identityId, stage, lastActiveAt, before, after, datesBefore, datesAfter, ...moved, why };
}

function datesOf({ deeds }: Course): RungDates {
  const dates: Partial<Record<RungName, number>> = {};
  for (const deed of deeds) if (deed.kind === 'rung') dates[deed.rung] ??= deed.at;
  return dates;
}

type Moved = Pick<Comparison, 'move'> & { readonly rung?: RungName; readonly days?: number };

/** A rung that is new or gone counts as one that moves from, or to, the horizon: the days are then not known. */
function moveOf(before: RungDates, after: RungDates, until: number): Moved {
  let furthest: { readonly rung: RungName; readonly by: number } | undefined;
  for (const rung of rungNames) {
    const by = (after[rung] ?? until) - (before[rung] ?? until);
    if (Math.abs(by) < leastMoveMs) continue;
    const isFurther = furthest === undefined || (by < 0 && (furthest.by > 0 || by < furthest.by));
    if (isFurther || (furthest !== undefined && by > furthest.by && furthest.by > 0)) furthest = { rung, by };
  }
  if (furthest === undefined) return { move: 'same' };
  const { rung, by } = furthest;
  const isKnown = before[rung] !== undefined && after[rung] !== undefined;
  return {
    move: by < 0 ? 'earlier' : 'later',
    rung,
    ...(isKnown && { days: Math.round(Math.abs(by) / dayMs) }),
  };
}

/** The first thing in which the plans differ: exemption, then the rung that moves, then any other. */
function whyOf(before: Plan, after: Plan, rung: RungName | undefined): string {
  if (before.exempt !== after.exempt) {
    if (after.exempt === undefined) return `no longer exempt (${before.exempt})`;
    return `exempt now (${after.exempt})`;
  }
  const names = [...(rung === undefined ? [] : [rung]), ...rungNames.filter((name) => name !== rung)];
  for (const name of names) {
    const [one, other] = [before, after].map(({ rungs }) => rungs.find((planned) => planned.rung === name));
    const change = changeOf(name, one, other);
    if (change !== undefined) return change;
  }
  return 'by the date of the look alone';
}

function changeOf(rung: RungName, before: PlanRung | undefined, after: PlanRung | undefined) {
  if (before === undefined) return after === undefined ? undefined : `${rung} is new`;
  if (after === undefined) return `${rung} is gone`;
  if (Math.abs(before.afterMs - after.afterMs) >= leastMoveMs)
    return `${rung} after ${describeElapsed(before.afterMs)} → ${describeElapsed(after.afterMs)}`;
  const leads = [before, after].map(({ noticeLeadsMs }) => noticeLeadsMs.map(formatDuration).join(', '));
  if (leads[0] !== leads[1]) return `notices of ${rung} ${leads[0]} → ${leads[1]} ahead`;
  const fields = ['noticeFloorMs', 'withoutNotice', 'keepsAlive', 'coolDownMs'] as const;
  const field = fields.find((name) => String(before[name]) !== String(after[name]));
  const names = { noticeFloorMs: 'noticeFloor', coolDownMs: 'coolDown' };
  if (field === undefined) return undefined;
  return `${field in names ? names[field as keyof typeof names] : field} of ${rung} changed`;
}
