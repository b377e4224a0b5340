/**
 * What is read from the outside just before the ladder decides: the second look (docs/architecture.md, invariant 1). Pure data.
 */
import type { Plan } from '../plan.js';
import type { Postponement } from '../postponement.js';
import type { Stage } from '../rungs.js';
import type { LatestActivity } from '../sign-of-life.js';
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
  /** Whether the engine itself disabled it, and nobody touched the state since. */
  readonly disabledByEngine: boolean;
  /** The answer to the engine's call was lost: an admin may have disabled it in those minutes. Never ground for a self-service return. */
  readonly disablementUnconfirmed?: true;
  /** The stage that apps see in whoami (`metadata_public`). */
  readonly publishedStage: Stage;
}

export interface Buried {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Absent where the engine deleted it itself: nothing was kept then. */
  readonly remembered?: Remembered;
}

/** How a notice that was given stands now. */
export interface NoticeState {
  readonly key: string;
  readonly outcome: NoticeOutcome;
}

export interface Assessment {
  /** Absent when Kratos does not know the identity. */
  readonly identity?: FoundIdentity;
  /** What that is worth. Absent in histories from before absence took time, and of the shell of an anonymised person. */
  readonly absence?: Absence;
  /** The last projection of a lifecycle that was lost. Asked for by one that has looked never before. */
  readonly former?: Former;
  /** It is there, and was buried: what was kept of it. */
  readonly buried?: Buried;
  /** Latest signs of life: PostgreSQL and the identity's Kratos sessions. */
  readonly activity: LatestActivity;
  readonly plan: Plan;
  /** What was postponed by the person; absent where nothing ever was. */
  readonly postponements?: readonly Postponement[];
  /** The holds that stand, as PostgreSQL keeps them, and how many ever did. Absent: none ever did, or a history of before. */
  readonly holds?: { readonly standing: readonly Hold[]; readonly count: number };
  /** How the notices that were asked about stand now. Absent in histories from before bounces were known. */
  readonly notices?: readonly NoticeState[];
  /** How many addresses a mail would go to; of a preview only. */
  readonly addresses?: { readonly verified: number; readonly unverified: number };
  /** The account's addresses are no longer those that the running notices went to. */
  readonly addressesChanged?: true;
}
