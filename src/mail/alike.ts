/**
 * Whether a refusal is the server's trouble because every recipient gets it. Many recipients refused with the
 * same codes, and none accepted, are surer evidence than any text. Pure.
 */

export interface Refusal {
  readonly replyCode?: number | undefined;
  readonly enhancedCode?: string | undefined;
}

/** The outcome of an earlier mail. */
export interface RecentMail extends Refusal {
  readonly identityId: string;
  readonly isAccepted: boolean;
}

/** Different people refused in a row with the same codes, including this one. */
const alikeAtLeast = 5;
/**
 * The same where the server blames the address (RFC 3463: 5.1.x, 5.2.x): a list may
 * have many dead addresses in a row.
 */
const alikeByAddressAtLeast = 50;

/** How many mails are checked. */
export const mostRecent = 500;

/** @param recent the newest first */
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
