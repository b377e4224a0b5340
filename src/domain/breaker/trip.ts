/** Why the breaker is tripped, and which acts the trip stops. Pure. */
import { assertUnreachable } from '../assert.js';
import type { BreakerAction } from './rules.js';

/**
 * `limit`: as many acts as the policy allows. `feed-stalled`: no signs of life, or far fewer than usual.
 * `clock`: clocks disagree, or one went back. `restored`: the database is older than the data written to it
 * before. `operator`: an operator tripped it.
 */
export const tripCauses = ['limit', 'feed-stalled', 'clock', 'restored', 'operator'] as const;
export type TripCause = (typeof tripCauses)[number];

/** What a trip stops: one kind of act, or each of them. */
export type TripScope = BreakerAction | 'all';

export interface Trip {
  readonly id: number;
  readonly scope: TripScope;
  readonly cause: TripCause;
  /** One sentence for an operator, without personal data. */
  readonly why: string;
  /** Epoch milliseconds. */
  readonly trippedAt: number;
  /** Number of different operators that a release needs. */
  readonly operators: number;
  /** The size of the batch of token ends that it stopped as a whole: its release allows as many more. */
  readonly acts?: number;
}

/** What an operator should check before releasing. */
export function adviceFor(cause: TripCause): string {
  switch (cause) {
    case 'limit':
      return 'Look at who waits (dormouse breaker waiting) and at recent changes of policy; release all, or the ones that are right.';
    case 'feed-stalled':
      return 'Find out why signs of life stopped (hooks, gateway, apps). Release when they arrive again.';
    case 'clock':
      return "Check the clocks (NTP) of the worker's and PostgreSQL's machines. Release when they agree.";
    case 'restored':
      return 'PostgreSQL holds less than was written. Bring back signs of life and revocations from the apps and Kratos before you release.';
    case 'operator':
      return 'Somebody stopped it on purpose: ask the actor.';
    default:
      return assertUnreachable(cause);
  }
}
