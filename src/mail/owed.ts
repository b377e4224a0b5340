/** Which mails are owed, and which addresses a mail does not go to for what happened to earlier ones. Pure. */
import type { MailKind } from './templates.js';

/**
 * Notices, warnings and what tells of a deed are owed: people have a right to know what happens to their account. An invitation to
 * come back is not, and whoever does not want it gets none.
 */
export function isOwed(kind: MailKind): boolean {
  return kind !== 'winback';
}

/** After this many mails that came back for good, an address gets none any more until it changes. */
export const hardBouncesUntilSuppressed = 3;

/** What became of earlier mails to one address. */
export interface AddressHistory {
  /** Mails that came back for good; what only found a mailbox full, or ran out of time, is not among them. */
  readonly hardBounces: number;
  /** Whether somebody there called one of them unwanted. */
  readonly complained: boolean;
}

/** Whether a mail of this kind is kept from the address. */
export function isWithheld({ hardBounces, complained }: AddressHistory, kind: MailKind): boolean {
  return hardBounces >= hardBouncesUntilSuppressed || (complained && !isOwed(kind));
}
