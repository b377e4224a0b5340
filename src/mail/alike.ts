/**
 * Whether a refusal or a bounce is the server's trouble because every recipient gets it. Many recipients refused with
 * the same codes, and none accepted, are surer evidence than any text. Pure.
 */

export interface Refusal {
  readonly replyCode?: number | undefined;
  readonly enhancedCode?: string | undefined;
}

/** The outcome of an earlier mail. A mail that came back has the code of its bounce, and no reply code. */
export interface RecentMail extends Refusal {
  readonly identityId: string;
  /** Accepted, and not returned until now. */
  readonly isAccepted: boolean;
}

/** Different people refused in a row with the same codes, including this one. */
const alikeAtLeast = 5;
/**
 * The same where the server blames the address (RFC 3463: 5.1.x, 5.2.x): a list may
 * have many dead addresses in a row.
 */
const alikeByAddressAtLeast = 50;

/** How far the mails that are compared lie apart; milliseconds. */
export const comparedWithinMs = 86_400_000;

/** How many mails are checked. */
export const mostRecent = 500;

/**
 * @param before the mails before it, the newest first
 * @param after the mails after it, the oldest first: a bounce is often learnt of after later mails were handed over
 */
export function isEverybodyRefused(
  refusal: Refusal & { readonly identityId: string },
  before: readonly RecentMail[],
  after: readonly RecentMail[] = [],
): boolean {
  const refused = new Set([refusal.identityId]);
  for (const neighbours of [before, after]) {
    for (const mail of neighbours) {
      if (mail.isAccepted) break;
      const isAlike = mail.replyCode === refusal.replyCode && mail.enhancedCode === refusal.enhancedCode;
      if (isAlike) refused.add(mail.identityId);
    }
  }
  const isOfAddress = /^5\.[12]\./u.test(refusal.enhancedCode ?? '');
  return refused.size >= (isOfAddress ? alikeByAddressAtLeast : alikeAtLeast);
}
