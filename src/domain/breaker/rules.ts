/**
 * What the breaker allows (docs/architecture.md, invariant 7): plain numbers, computed from a policy. Pure.
 */
import { type DestructiveRung, destructiveRungs } from '../rungs.js';

/**
 * The ends of tokens that sweeps carry out: of personal access tokens, and of families of refresh tokens. A
 * person's own revocation, and the rules at a sign-in or a use, never ask.
 */
export const tokenActions = ['endPersonal', 'endRefresh'] as const;
export type TokenAction = (typeof tokenActions)[number];

/** Acts of a lifecycle: destructive rungs, and burials of identities that Kratos no longer knows. */
export const lifecycleActions = [...destructiveRungs, 'bury'] as const;

/** The actions that must pass the breaker. */
export const breakerActions = [...lifecycleActions, ...tokenActions] as const;
export type BreakerAction = DestructiveRung | 'bury' | TokenAction;

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
  // guard: breaker: percentage of the population
  const byPercent = Math.max(rules.percentFrom, Math.floor((population * percent) / 100));
  // guard: breaker: absolute limit
  return Math.min(atMost, byPercent);
}
