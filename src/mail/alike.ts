/**
 * Whether a refusal is the server's trouble because everybody gets it: no text says so as surely as many recipients who are refused
 * alike, and nobody who is not. Pure.
 */

export interface Refusal {
  readonly replyCode?: number | undefined;
  readonly enhancedCode?: string | undefined;
}

/** What became of an earlier mail. */
export interface RecentMail extends Refusal {
  readonly identityId: string;
  readonly isAccepted: boolean;
}

/** Different people refused in a row by the same codes, this one included. */
const alikeAtLeast = 5;
/** Where the server says that it is the address (RFC 3463: 5.1.x, 5.2.x): a list may have many dead ones together. */
const alikeByAddressAtLeast = 50;

/** How many mails are looked at. */
export const mostRecent = 500;

/** @param recent the latest first */
export function isEverybodyRefused(
  refusal: Refusal & { readonly identityId: string },
  recent: readonly RecentMail[],
): boolean {
  const refused = new Set([refusal.identityId]);
  for (const mail of recent) {
    if (mail.isAccepted) break;
    const isAlike = mail.replyCode === refusal.replyCode && mail.enhancedCode === refusal.enhancedCode;
    if (isAlike) refused.add(mail.identityId);
  }
  const isOfAddress = /^5\.[12]\./u.test(refusal.enhancedCode ?? '');
  return refused.size >= (isOfAddress ? alikeByAddressAtLeast : alikeAtLeast);
}
