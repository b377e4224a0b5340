/** Which mails are owed, and which addresses get no mail because of earlier bounces or complaints. Pure. */
import type { MailKind } from './templates.js';

/**
 * Notices, warnings and reports of a deed are owed: people have a right to know what happens to their
 * account. An invitation to come back is not owed, and a person who unsubscribed gets none.
 */
export function isOwed(kind: MailKind): boolean {
  return kind !== 'winback';
}

/** After this many hard bounces, an address gets no mails until it changes. */
export const hardBouncesUntilSuppressed = 3;

/** The outcomes of earlier mails to one address. */
export interface AddressHistory {
  /** Hard bounces, except those that only found a mailbox full or ran out of time. */
  readonly hardBounces: number;
  /** Whether a recipient reported one of them as unwanted. */
  readonly complained: boolean;
}

/** Whether the address gets no mail of this kind. */
export function isWithheld({ hardBounces, complained }: AddressHistory, kind: MailKind): boolean {
  // guard: an address that mails come back from gets none
  return hardBounces >= hardBouncesUntilSuppressed || (complained && !isOwed(kind));
}
