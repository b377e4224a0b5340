/** A notice that was given, or tried. Types only. */
import type { RungName } from '../rungs.js';

/** `relay-failed`: accepted, and returned later because of a mail server on the way, not because of the address. */
export type NoticeOutcome = 'accepted' | 'ambiguous' | 'bounced' | 'relay-failed' | 'rejected' | 'no-address';

export interface NoticeRecord {
  readonly rung: RungName;
  readonly leadMs: number;
  /** `skipped`: it failed for good, and an operator decided that it is not to be given. */
  readonly outcome: NoticeOutcome | 'skipped';
  /** When the mail server accepted it, or the attempt ended. */
  readonly at: number;
  /** What it was based on: a notice no longer counts once the person was seen later than this. */
  readonly inactiveSince: number;
  /** Names its mail. Absent in notices from before bounces were known. */
  readonly key?: string;
  /** The date that it announced; epoch milliseconds. */
  readonly announcedAt?: number;
  /** When it became known that the outcome is no longer what it was. */
  readonly failedAt?: number;
  /** When it was last sent after a change of address; the rung keeps a distance from that, too. */
  readonly followedAt?: number;
  /**
   * It no longer counts: a hold, an exemption or a change of policy came between. It is remembered all the same, so
   * that the next one for the same absence is known to be a new mail and not an attempt at the old one.
   */
  readonly void?: true;
  /** How many before it reached nobody either, in the same absence. Absent: none. */
  readonly failures?: number;
  /** How many postponements counted when it was given; it holds for that date only. Absent: none. */
  readonly round?: number;
}
