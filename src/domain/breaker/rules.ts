/**
 * What the breaker allows (docs/architecture.md, invariant 7): plain numbers, computed from a policy. Pure.
 */
import { type DestructiveRung, destructiveRungs } from '../rungs.js';

/**
 * The actions that must pass the breaker: destructive rungs, and burials of
 * identities that Kratos no longer knows.
 */
export const breakerActions = [...destructiveRungs, 'bury'] as const;
export type BreakerAction = DestructiveRung | 'bury';

/** How many acts of one kind may happen within the window. */
export interface BreakerLimit {
  /** Absent: only the percentage limits, so that the limit grows with the installation. */
  readonly atMost?: number;
  /** Of the identities that have a lifecycle and are not deleted. */
  readonly percent: number;
}

export interface StallRule {
  /** The length of a stretch of time in which signs of life are counted. Milliseconds. */
  readonly windowMs: number;
  /** The period whose stretches are the baseline. Milliseconds. */
  readonly baselineMs: number;
  /** Stalled: fewer signs than this percentage of the quietest stretch of the baseline. */
  readonly belowPercent: number;
}

export interface BreakerRules {
  readonly windowMs: number;
  readonly limits: Readonly<Record<BreakerAction, BreakerLimit>>;
  /**
   * The percentage never allows fewer acts than this. Otherwise five percent of
   * ten people would stop everything.
   */
  readonly percentFrom: number;
  /** Number of different operators that a release needs. */
  readonly operators: number;
  /** Absent: the feed is not checked. */
  readonly stall?: StallRule;
  /** How far two clocks may differ, and how far one may go back. Milliseconds. */
  readonly clockToleranceMs: number;
}

/** @returns how many acts the limit allows within the window: the lower of both limits */
export function allowedActs(rules: BreakerRules, action: BreakerAction, population: number): number {
  const { atMost = Number.POSITIVE_INFINITY, percent } = rules.limits[action];
  const byPercent = Math.max(rules.percentFrom, Math.floor((population * percent) / 100));
  return Math.min(atMost, byPercent);
}
