/** The links in mails, and whether a link still fits the standing of the identity. Pure. */
import type { DestructiveRung } from './rungs.js';
import type { Standing } from './standing.js';

interface LinkBase {
  readonly identityId: string;
  readonly createdAt: number;
}

export interface KeepLink extends LinkBase {
  readonly purpose: 'keep';
  /** Since when the person was inactive, as the notice stated it. Epoch milliseconds. */
  readonly boundAt: number;
  readonly rung: DestructiveRung;
  /** The number of the postponement within this absence; 0 is the first. */
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

/** Unsubscribes from optional mails. Valid until it expires, however often it is used. */
export interface UnsubscribeLink extends LinkBase {
  readonly purpose: 'unsubscribe';
  /** When the link was made. Nothing else binds it. */
  readonly boundAt: number;
}

export type Link = KeepLink | ReactivationLink | UnsubscribeLink;
export type NewLink = Link & { readonly expiresAt: number };

/** A standing with the time at which it was recorded. */
export interface DatedStanding {
  readonly standing: Standing;
  /** Epoch milliseconds. */
  readonly recordedAt: number;
}

/**
 * Whether the notice that carried the link still holds: no sign of life and no hold since, and the announced
 * rung has not happened. A standing older than the link says nothing about its notice, and the link holds.
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

/** Whether the identity is still in the same deactivation that the link was made for. */
export function reactivationLinkHolds(link: ReactivationLink, known: DatedStanding | undefined): boolean {
  return known?.standing.stage === 'deactivated' && known.standing.since === link.boundAt;
}
