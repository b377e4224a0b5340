/** What comes next for an identity, or what keeps it from coming. Pure. */
import type { RungName } from '../rungs.js';

export type BlockedBy =
  | 'parked'
  | 'hold'
  | 'exempt'
  | 'disabled-by-admin'
  | 'no-notice'
  | 'breaker'
  /** Kratos does not know it, and that is not certain yet, or the grace period runs. */
  | 'missing';

export interface Blocked {
  readonly by: BlockedBy;
  readonly why: string;
  /** Since when, epoch milliseconds; absent where that is not known. */
  readonly since?: number;
}

export interface NextStep {
  readonly step: 'rung' | 'notice';
  /** `bury`: what is known of an identity that is gone from Kratos is forgotten. */
  readonly rung: RungName | 'bury';
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * Whether both are the same step, and it is due. The time of a due step moves on with the clock, which tells
 * nobody anything new.
 */
export function isSameDueStep(
  before: NextStep | undefined,
  after: NextStep | undefined,
  now: number,
): boolean {
  if (before === undefined || after === undefined) return false;
  if (before.step !== after.step || before.rung !== after.rung) return false;
  return before.at <= now && after.at <= now;
}
