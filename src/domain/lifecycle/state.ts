/**
 * What a lifecycle remembers of one identity, from wake-up to wake-up and across continue-as-new. Plain data:
 * absolute times in epoch milliseconds, the identity's UUID, and nothing personal. Pure.
 */

import type { AuditEntry } from '../audit-entry.js';
import type { PolicyReference } from '../policy-reference.js';
import type { Postponement } from '../postponement.js';
import type { RungName } from '../rungs.js';
import type { LatestSigns } from '../sign-of-life.js';
import type { Missing } from './absence.js';
import type { Hold } from './holds.js';
import type { NoticeRecord } from './notice-record.js';
import type { Parked } from './parked.js';

/** A rung of the ladder that was begun. With `completedAt` it is finished and verified. */
export interface RungRecord {
  readonly begunAt: number;
  readonly completedAt?: number;
  /** What justified the act: inactivity since then, and the threshold in force. */
  readonly inactiveSince: number;
  readonly afterMs: number;
  /** For a warning: the date of the suspension that it named. Absent: it named none. */
  readonly announcedAt?: number;
}

/**
 * The outcome of a notice. `accepted`: the mail server took it. `ambiguous`: handed over, answer lost.
 * `bounced`: accepted, and returned later. `rejected`, `no-address`: it can't be delivered.
 */
/** An operator decided that a parked rung is not to be carried out; holds for the absence that it was decided in. */
export interface Skip {
  readonly at: number;
  readonly inactiveSince: number;
}

/** A warning that a mail server on the way sent back. It is given anew. */
export interface LostWarning {
  /** When that became known. */
  readonly at: number;
  /** When the next warning may be given. */
  readonly againAt: number;
  /** The absence that it belongs to. */
  readonly inactiveSince: number;
  /** How many before it were lost in the same absence. Absent: none. */
  readonly failures?: number;
}

/** The breaker did not let a rung pass. It is asked again from time to time, and after a release. */
export interface HeldByBreaker {
  readonly rung: RungName | 'bury';
  readonly tripId: number;
  readonly why: string;
  readonly since: number;
  /** When the breaker was last asked; 0: it is to be asked at once. */
  readonly askedAt: number;
  /**
   * When the breaker is asked again, unless a message wakes the lifecycle before. Absent in states of
   * older builds: within the hour.
   */
  readonly againAt?: number;
}

/** The app has exported what must be kept of an identity that is about to be deleted. */
export interface Exported {
  /** The absence that it belongs to. */
  readonly inactiveSince: number;
  readonly at: number;
  /** Where the export is, in the app's own naming. */
  readonly reference?: string;
}

/** Which version of which policy the identity follows. Without `version`: always the latest published one. */
export interface PolicyChoice {
  readonly id: string;
  readonly version?: number;
}

export interface Reactivation {
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
  /** By the person's own link rather than by an operator. Counts only where the policy allows it. */
  readonly selfService?: true;
}

/** A request for the mail with the link that ends the deactivation. */
export interface LinkRequest {
  readonly at: number;
  /** The mail has not been sent yet. */
  readonly isPending: boolean;
  /** Requests in this deactivation, including this one. Absent where an older build recorded it. */
  readonly count?: number;
}

export interface LifecycleState {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly policyChoice: PolicyChoice;
  /** The version that was in force at the last wake-up. */
  readonly policy?: PolicyReference;
  readonly activity: LatestSigns;
  /** Start of the clock without any sign of life: creation, or the last (re)activation by an admin. */
  readonly baselineAt: number;
  readonly rungs: Readonly<Partial<Record<RungName, RungRecord>>>;
  readonly notices: readonly NoticeRecord[];
  /** When the present stage was reached. */
  readonly stageSince: number;
  readonly holds?: readonly Hold[];
  /** How many holds were ever set; gives the next one's id. */
  readonly holdsSet?: number;
  /** PostgreSQL keeps the holds. Absent in states of older builds, which kept them only here. */
  readonly holdsKept?: true;
  readonly parked?: Parked;
  readonly skips?: Readonly<Partial<Record<RungName, Skip>>>;
  readonly lostWarning?: LostWarning;
  readonly heldByBreaker?: HeldByBreaker;
  /** Kratos does not know the identity (any more), and how certain that is. */
  readonly missing?: Missing;
  readonly exported?: Exported;
  /** An operator's decision that has not been carried out yet. */
  readonly reactivation?: Reactivation;
  /** The last request for a reactivation link. */
  readonly linkRequest?: LinkRequest;
  /** As PostgreSQL had them at the last look. Absent: there never were any. */
  readonly postponements?: readonly Postponement[];
  /** Non-fatal trouble that operators should see, such as `metadata-not-published`. */
  readonly warnings: readonly string[];
  /** Audit entries not yet written. */
  readonly outbox: readonly AuditEntry[];
  /**
   * IDs of updates already carried out. Bounded. Kept here because Temporal forgets them at continue-as-new.
   */
  readonly processedUpdateIds: readonly string[];
  /** The revision of the last projection written. A database with a lower one was restored from a backup. */
  readonly recordedAt?: number;
  /** Whether Kratos has ever confirmed that the identity exists. */
  readonly known: boolean;
}

/** The state handed over by runs from before there could be several holds. */
export type EarlierState = LifecycleState & { readonly hold?: Omit<Hold, 'id'> };

/** @returns the same memory in its present form */
export function presentState({ hold, ...state }: EarlierState): LifecycleState {
  return hold === undefined ? state : { ...state, holds: [{ ...hold, id: 'h1' }], holdsSet: 1 };
}

/** A lifecycle at the bottom of the ladder. */
export function initialState(identityId: string, policyChoice: PolicyChoice, now: number): LifecycleState {
  return {
    schemaVersion: 1,
    identityId,
    policyChoice,
    activity: {},
    baselineAt: 0,
    rungs: {},
    notices: [],
    stageSince: now,
    warnings: [],
    outbox: [],
    processedUpdateIds: [],
    known: false,
  };
}

/** What a burial keeps, so that an identity that reappears continues where it was. Nothing personal. */
export type Remembered = Pick<
  LifecycleState,
  'activity' | 'baselineAt' | 'rungs' | 'stageSince' | 'policyChoice'
>;

export function rememberedOf({
  activity,
  baselineAt,
  rungs,
  stageSince,
  policyChoice,
}: LifecycleState): Remembered {
  return { activity, baselineAt, rungs, stageSince, policyChoice };
}
