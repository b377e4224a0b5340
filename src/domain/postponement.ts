/** Postponements: what people who pressed "Keep my account" in a notice were promised. Pure. */
import type { PlanRung } from './plan.js';
import type { DestructiveRung } from './rungs.js';

export interface Postponement {
  readonly rung: DestructiveRung;
  /** The absence that it belongs to; a sign of life since makes it history. Epoch milliseconds. */
  readonly inactiveSince: number;
  /** How many were confirmed in this absence before: each round of notices can be answered once. */
  readonly round: number;
  /** The rung comes no earlier; epoch milliseconds. */
  readonly untilAt: number;
  readonly confirmedAt: number;
}

/** @returns those that count for the rung in this absence: as many as the policy in force grants, the first ones */
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
 * Until when a confirmation at `now` puts the rung off: the policy's amount from the date that the mail named, or from
 * now where that date has passed already (a hold or an outage came between).
 */
export function postponedUntil(announcedAt: number, byMs: number, now: number): number {
  return Math.max(announcedAt, now) + byMs;
}
