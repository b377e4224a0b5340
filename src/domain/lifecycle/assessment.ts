/**
 * What is read from outside just before the ladder decides: the second look
 * (docs/architecture.md, invariant 1). Pure data.
 */
import type { Plan } from '../plan.js';
import type { Postponement } from '../postponement.js';
import type { Stage } from '../rungs.js';
import type { LatestSigns } from '../sign-of-life.js';
import type { Absence } from './absence.js';
import type { Former } from './former.js';
import type { Hold } from './holds.js';
import type { NoticeOutcome } from './notice-record.js';
import type { Remembered } from './state.js';

export interface FoundIdentity {
  readonly state: 'active' | 'inactive';
  /** Epoch milliseconds; Kratos sets it at creation and on each change of state. */
  readonly stateChangedAt: number;
  readonly createdAt: number;
  /** Whether the engine itself disabled the identity, and the state has not changed since. */
  readonly disabledByEngine: boolean;
  /**
   * The answer to the engine's call was lost: an admin may have disabled the identity in those minutes. Never
   * a reason for a self-service return.
   */
  readonly disablementUnconfirmed?: true;
  /** The stage that apps see in whoami (`metadata_public`). */
  readonly publishedStage: Stage;
}

export interface Buried {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Absent where the engine itself deleted the identity: nothing was kept in that case. */
  readonly remembered?: Remembered;
}

/** The present state of a notice that was given. */
export interface NoticeState {
  readonly key: string;
  readonly outcome: NoticeOutcome;
}

export interface Assessment {
  /** Absent when Kratos does not know the identity. */
  readonly identity?: FoundIdentity;
  /**
   * What the absence proves. Absent in histories from before absence took time, and for the
   * shell of an anonymised person.
   */
  readonly absence?: Absence;
  /** The last projection of a lifecycle that was lost. Read only for a lifecycle's first look. */
  readonly former?: Former;
  /** What was kept of an identity that was buried and is there again. */
  readonly buried?: Buried;
  /** Latest signs of life: PostgreSQL and the identity's Kratos sessions. */
  readonly activity: LatestSigns;
  readonly plan: Plan;
  /** The person's postponements. Absent: there never were any. */
  readonly postponements?: readonly Postponement[];
  /**
   * The holds in force, as PostgreSQL keeps them, and how many there ever were. Absent: there never
   * were any, or the history is older.
   */
  readonly holds?: {
    readonly standing: readonly Hold[];
    readonly count: number;
    /** Ids of holds that were released before their time. Absent: none, or the history is older. */
    readonly released?: readonly string[];
  };
  /**
   * The present state of the notices that were asked about. Absent in histories
   * from before bounces were known.
   */
  readonly notices?: readonly NoticeState[];
  /** The present state of the last warning. Absent: it was not asked about, or the history is older. */
  readonly warning?: NoticeState;
  /** How many addresses a mail would go to; only for a preview. */
  readonly addresses?: { readonly verified: number; readonly unverified: number };
  /** The account's addresses differ from those that the running notices went to. */
  readonly addressesChanged?: true;
  /** Where operators' browsers reach the desk, for the workflow's details. No decision rests on it. */
  readonly deskUrl?: string;
}
