/** Standing: where an identity stands, what comes next, when, and why. For people and for apps. Types only: a client carries them. */
import type { Hold } from './lifecycle/holds.js';
import type { Blocked, NextStep } from './lifecycle/next-step.js';
import type { NoticeRecord } from './lifecycle/notice-record.js';
import type { Parked } from './lifecycle/parked.js';
import type { PolicyReference } from './policy-reference.js';
import type { RungName, Stage } from './rungs.js';
import type { LatestSigns } from './sign-of-life.js';

export interface Standing {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly stage: Stage;
  /** Since when, epoch milliseconds. */
  readonly since: number;
  /** The latest sign of life that counts, or the start of the clock; epoch milliseconds. */
  readonly lastActiveAt: number;
  readonly activity: LatestSigns;
  readonly policy?: PolicyReference;
  readonly next?: NextStep;
  readonly blocked?: Blocked;
  /** One sentence for an operator. */
  readonly why: string;
  /** The hold in force that ends last. */
  readonly hold?: Hold;
  /** All holds, where there are any. Standings written before several were possible lack this field. */
  readonly holds?: readonly Hold[];
  readonly parked?: Parked;
  /** Rungs that an operator decided not to carry out in this absence, and the time of the decision. */
  readonly skipped?: Readonly<Partial<Record<RungName, number>>>;
  /** The step that is being carried out (or retried) at the moment. */
  readonly inProgress?: string;
  readonly notices: readonly NoticeRecord[];
  readonly completed: Readonly<Partial<Record<RungName, number>>>;
  readonly warnings: readonly string[];
  /** Whether a sign of life changes more than the clock. Such a sign reaches the workflow at once. */
  readonly offBottom: boolean;
  /** Otherwise the workflow gets at most one signal in this time. Milliseconds. */
  readonly signalWindowMs: number;
}

/** When web sessions and the consents of Hydra end for inactivity: by the rung `revoke`. */
export interface SessionsEnd {
  /** As the plan has it for this identity, milliseconds. */
  readonly afterMs: number;
  /** If nobody shows up, epoch milliseconds. Absent: they ended, or the ladder stands still. */
  readonly at?: number;
}

/** What the workflow answers when it is asked: more than it writes down, so that no history depends on it. */
export interface LiveStanding extends Standing {
  /** Everything that is in the way, that of `blocked` first. Absent: an earlier release answered. */
  readonly obstacles?: readonly Blocked[];
  /** Absent: the policy has no rung `revoke`. */
  readonly sessionsEnd?: SessionsEnd;
}
