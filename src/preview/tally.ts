/** Counts by day, before and after, and what they come to. Pure; of a fixed size, however many people are counted. */
import { allowedActs, type BreakerRules } from '../domain/breaker/rules.js';
import { dayMs } from '../domain/duration.js';
import { type DestructiveRung, destructiveRungs, type RungName, rungNames } from '../domain/rungs.js';
import type { Course, CourseEnd } from '../forecast/deed.js';
import type { Comparison, Move } from './comparison.js';

/** Days that a preview looks ahead. */
export const horizonDays = 730;
/** What is counted by day. */
export const counted = [...rungNames, 'return', 'mails'] as const;
export type Counted = (typeof counted)[number];

/** One number for each day from the first, and for each thing counted. */
export type Days = Readonly<Record<Counted, readonly number[]>>;

class DayCounts {
  readonly days = Object.fromEntries(
    counted.map((what) => [what, new Array<number>(horizonDays + 1).fill(0)]),
  ) as Record<Counted, number[]>;
  readonly ends: Partial<Record<CourseEnd, number>> = {};

  add({ deeds, end }: Course, now: number): void {
    for (const deed of deeds) {
      const day = Math.min(horizonDays, Math.max(0, Math.floor((deed.at - now) / dayMs)));
      this.count(deed.kind === 'notice' ? undefined : deed.kind === 'rung' ? deed.rung : 'return', day);
      if (deed.mails > 0) this.count('mails', day);
    }
    this.ends[end] = (this.ends[end] ?? 0) + 1;
  }

  private count(what: Counted | undefined, day: number): void {
    if (what === undefined) return;
    const days = this.days[what];
    days[day] = (days[day] ?? 0) + 1;
  }
}

/** A day on which more acts come than the breaker allows. */
export interface TrippingDay {
  /** Days from the preview. */
  readonly day: number;
  readonly action: DestructiveRung;
  /** Acts within the breaker's window that ends with this day. */
  readonly acts: number;
  readonly allowed: number;
}

export class Tally {
  people = 0;
  /** Identities that Kratos does not know. */
  missing = 0;
  /** Identities that Kratos has in a form that can't be read. */
  unreadable = 0;
  readonly moves: Record<Move, number> = { earlier: 0, later: 0, same: 0 };
  readonly why = new Map<string, number>();
  readonly before = new DayCounts();
  readonly after = new DayCounts();

  /** @param now when everybody is looked at, epoch milliseconds */
  constructor(readonly now: number) {}

  add(comparison: Comparison): void {
    this.people += 1;
    this.moves[comparison.move] += 1;
    this.before.add(comparison.before, this.now);
    this.after.add(comparison.after, this.now);
    if (comparison.move === 'same') return;
    const reason = `${comparison.move}: ${comparison.why}`;
    this.why.set(reason, (this.why.get(reason) ?? 0) + 1);
  }
}

/** @returns the sum of the first days, the given number and today */
export function within(days: readonly number[], count: number): number {
  return days.slice(0, count).reduce((sum, one) => sum + one, 0);
}

/**
 * The days that the breaker would not let pass, by the first day of each run of such days. What a trip holds back moves to
 * later days, which this does not follow.
 * @param population what the percentages are of
 */
export function trippingDays(days: Days, rules: BreakerRules, population: number): TrippingDay[] {
  const windowDays = Math.max(1, Math.ceil(rules.windowMs / dayMs));
  return destructiveRungs.flatMap((action) => {
    const allowed = allowedActs(rules, action, population);
    const tripping: TrippingDay[] = [];
    let acts = 0;
    for (const [day, count] of days[action].entries()) {
      acts += count - (days[action][day - windowDays] ?? 0);
      if (acts > allowed) tripping.push({ day, action, acts, allowed });
    }
    return tripping;
  });
}

/** Rungs that the totals name, in the order of the ladder. */
export const totalled: readonly (RungName | 'mails')[] = [...rungNames, 'mails'];
