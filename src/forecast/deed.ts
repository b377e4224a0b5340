/** What a forecast says that the engine will do to one identity. Types only. */
import type { ReturnCause } from '../domain/lifecycle/justification.js';
import type { BlockedBy } from '../domain/lifecycle/next-step.js';
import type { NoticeOutcome } from '../domain/lifecycle/notice-record.js';
import type { RungName } from '../domain/rungs.js';

/** Times in epoch milliseconds. `mails` counts the mails that the person gets by the deed. */
export type Deed =
  | {
      readonly kind: 'notice';
      readonly at: number;
      readonly rung: RungName;
      /** How long ahead of the rung it is meant to be given. Milliseconds. */
      readonly leadMs: number;
      /** The date that it announces. */
      readonly rungAt: number;
      readonly mails: 0 | 1;
    }
  | { readonly kind: 'rung'; readonly at: number; readonly rung: RungName; readonly mails: 0 | 1 }
  | {
      readonly kind: 'return';
      readonly at: number;
      readonly cause: ReturnCause;
      readonly undo: readonly RungName[];
      readonly mails: 0 | 1;
    };

/**
 * Why a course has no further deed. `finished`: deleted. `end-of-ladder`: no rung is left. `later`: there is one, after
 * the horizon. Otherwise what keeps the next one from coming.
 */
export type CourseEnd = 'finished' | 'end-of-ladder' | 'later' | BlockedBy;

export interface Course {
  /** In the order in which they come. */
  readonly deeds: readonly Deed[];
  readonly end: CourseEnd;
}

/** How the mails to one person fare, as far as it is known. */
export type MailFate = Extract<NoticeOutcome, 'accepted' | 'rejected' | 'no-address'>;
