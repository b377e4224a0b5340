/**
 * What a lifecycle remembers of one identity, from wake-up to wake-up and across continue-as-new. Plain data:
 * absolute times in epoch milliseconds, the identity's UUID, and nothing personal. Pure.
 */

import type { AuditEntry } from '../audit-entry.js';
import type { PolicyReference } from '../policy-reference.js';
import type { Postponement } from '../postponement.js';
import type { RungName } from '../rungs.js';
import type { LatestActivity } from '../sign-of-life.js';
import type { Missing } from './absence.js';
import type { Hold } from './holds.js';
import type { NoticeRecord } from './notice-record.js';
import type { Parked } from './parked.js';

/** A rung of the ladder that was begun, and, when `completedAt` is there, finished and verified. */
export interface RungRecord {
  readonly begunAt: number;
  readonly completedAt?: number;
  /** What the act was justified by: inactivity since then, and the threshold in force. */
  readonly inactiveSince: number;
  readonly afterMs: number;
  /** Of a warning: the day of the suspension that it named. Absent: it named none. */
  readonly announcedAt?: number;
}

/**
 * How a notice fared. `accepted`: the mail server took it. `ambiguous`: handed over, answer lost. `bounced`: taken, and
 * given back later. `rejected`, `no-address`: it can't be delivered.
 */
/** An operator decided that a parked rung is not to be carried out; holds for the absence that it was decided in. */
export interface Skip {
  readonly at: number;
  readonly inactiveSince: number;
}

/** The breaker let a rung not pass. It is asked again from time to time, and when somebody releases it. */
export interface HeldByBreaker {
  readonly rung: RungName | 'bury';
  readonly tripId: number;
  readonly why: string;
  readonly since: number;
  /** When it was asked last; 0: it is to be asked at once. */
  readonly askedAt: number;
  /** When it is asked again, unless somebody wakes the lifecycle before. Absent in states of older builds: within the hour. */
  readonly againAt?: number;
}

/** The app has exported what must be kept of an identity that is about to be deleted. */
export interface Exported {
  /** The absence that it belongs to. */
  readonly inactiveSince: number;
  readonly at: number;
  /** Where it is, as the app names it. */
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
  /** By the person's own link rather than by an operator: holds only where the policy allows it. */
  readonly selfService?: true;
}

/** Somebody asked for the mail with the link that ends the deactivation. */
export interface LinkRequest {
  readonly at: number;
  /** The mail has not been sent yet. */
  readonly isPending: boolean;
  /** Requests of this deactivation, this one included. Absent where an older build noted it. */
  readonly count?: number;
}

export interface LifecycleState {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly policyChoice: PolicyChoice;
  /** The version that was in force at the last wake-up. */
  readonly policy?: PolicyReference;
  readonly activity: LatestActivity;
  /** The clock of a person who never showed up starts here: creation, or the last (re)activation by an admin. */
  readonly baselineAt: number;
  readonly rungs: Readonly<Partial<Record<RungName, RungRecord>>>;
  readonly notices: readonly NoticeRecord[];
  /** When the present stage was reached. */
  readonly stageSince: number;
  readonly holds?: readonly Hold[];
  /** How many holds were ever set: the next one's id. */
  readonly holdsSet?: number;
  /** PostgreSQL keeps the holds. Absent in states of older builds, which kept them here alone. */
  readonly holdsKept?: true;
  readonly parked?: Parked;
  readonly skips?: Readonly<Partial<Record<RungName, Skip>>>;
  readonly heldByBreaker?: HeldByBreaker;
  /** Kratos does not know it (any more), as far as that is certain. */
  readonly missing?: Missing;
  readonly exported?: Exported;
  /** An operator's decision that has not been carried out yet. */
  readonly reactivation?: Reactivation;
  /** The last request for a reactivation link. */
  readonly linkRequest?: LinkRequest;
  /** As PostgreSQL had them at the last look; absent where nothing ever was postponed. */
  readonly postponements?: readonly Postponement[];
  /** Non-fatal trouble that operators should see, as `metadata-not-published`. */
  readonly warnings: readonly string[];
  /** Audit entries not yet written. */
  readonly outbox: readonly AuditEntry[];
  /** Update IDs already carried out; bounded, because Temporal forgets them at continue-as-new. */
  readonly processedUpdateIds: readonly string[];
  /** The revision of the projection that was written last: a database that knows less was restored from a backup. */
  readonly recordedAt?: number;
  /** Whether Kratos has ever confirmed that the identity exists. */
  readonly known: boolean;
}

/** What was handed over by runs from before there could be several holds. */
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

/** What a burial keeps, so that an identity that shows up again stands where it stood. Nothing personal. */
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
