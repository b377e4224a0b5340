/** What comes next for an identity, or what keeps it from coming. Types only. */
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
