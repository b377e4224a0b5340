/** What a link in a mail stands for, and whether it still fits where the identity stands. Pure. */
import type { DestructiveRung } from './rungs.js';
import type { Standing } from './standing.js';

interface LinkBase {
  readonly identityId: string;
  readonly createdAt: number;
}

export interface KeepLink extends LinkBase {
  readonly purpose: 'keep';
  /** Since when the person was inactive, as the notice had it. Epoch milliseconds. */
  readonly boundAt: number;
  readonly rung: DestructiveRung;
  /** Which postponement of this absence it would be; 0 is the first. */
  readonly round: number;
  /** The date that the mail named. */
  readonly announcedAt: number;
  readonly byMs: number;
}

export interface ReactivationLink extends LinkBase {
  readonly purpose: 'reactivate';
  /** Since when the identity has been deactivated. Epoch milliseconds. */
  readonly boundAt: number;
}

/** Ends the mails that are not owed. It holds for as long as it lasts, however often it is used. */
export interface UnsubscribeLink extends LinkBase {
  readonly purpose: 'unsubscribe';
  /** When it was made: it is bound to nothing. */
  readonly boundAt: number;
}

export type Link = KeepLink | ReactivationLink | UnsubscribeLink;
export type NewLink = Link & { readonly expiresAt: number };

/** A standing with the time from which it is. */
export interface DatedStanding {
  readonly standing: Standing;
  /** Epoch milliseconds. */
  readonly recordedAt: number;
}

/**
 * Whether the notice that carried the link still holds: the person was not seen since, no hold came between, and what it
 * announced has not happened. A standing from before the link knows nothing of its notice, and says nothing here.
 */
export function keepLinkHolds(link: KeepLink, known: DatedStanding | undefined): boolean {
  if (known === undefined) return false;
  const { standing, recordedAt } = known;
  if (standing.completed[link.rung] !== undefined || standing.completed.delete !== undefined) return false;
  if (recordedAt <= link.createdAt) return true;
  return standing.notices.some(
    ({ rung, inactiveSince }) => rung === link.rung && inactiveSince === link.boundAt,
  );
}

/** Whether the identity still stands deactivated by the very deactivation that the link was made for. */
export function reactivationLinkHolds(link: ReactivationLink, known: DatedStanding | undefined): boolean {
  return known?.standing.stage === 'deactivated' && known.standing.since === link.boundAt;
}
