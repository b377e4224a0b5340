/** Postponements: what "Keep my account" in a notice promised to the person. Pure. */
import type { PlanRung } from './plan.js';
import type { DestructiveRung } from './rungs.js';

export interface Postponement {
  readonly rung: DestructiveRung;
  /** The absence that it belongs to. A later sign of life makes it void. Epoch milliseconds. */
  readonly inactiveSince: number;
  /**
   * How many postponements were confirmed before in this absence: each round of notices can be answered once.
   */
  readonly round: number;
  /** The rung comes no earlier than this. Epoch milliseconds. */
  readonly untilAt: number;
  readonly confirmedAt: number;
}

/**
 * @returns the postponements that count for the rung in this absence: the first ones, as
 * many as the policy in force grants
 */
export function countedPostponements(
  all: readonly Postponement[],
  rung: Pick<PlanRung, 'rung' | 'keep'>,
  inactiveSince: number,
): readonly Postponement[] {
  const { keep } = rung;
  if (keep === undefined) return [];
  return all
    .filter((one) => one.rung === rung.rung && one.inactiveSince === inactiveSince)
    .sort((a, b) => a.round - b.round)
    .slice(0, keep.times);
}

/**
 * Until when a confirmation at `now` puts the rung off: the policy's amount, counted from the date in the
 * mail. Where that date has passed already (because of a hold or an outage), it counts from now.
 */
export function postponedUntil(announcedAt: number, byMs: number, now: number): number {
  return Math.max(announcedAt, now) + byMs;
}
