/** What is known of a mail that bounced. Pure. */

/**
 * `hard`: it will not arrive. `soft`: delayed, delivery continues. `complaint`: it arrived, and was reported
 * as unwanted. Only `hard` voids a notice.
 */
export const bounceKinds = ['hard', 'soft', 'complaint'] as const;
export type BounceKind = (typeof bounceKinds)[number];

/** The names by which a report identifies its mail. */
export interface BounceReference {
  /** Our own Message-ID of it, with angle brackets. */
  readonly messageId?: string;
  /**
   * Names that servers may have given the mail when they accepted it. The report of a relay that writes its
   * own Message-IDs has nothing else.
   */
  readonly queueIds?: readonly string[];
}

export interface Bounce extends BounceReference {
  readonly kind: BounceKind;
  /** Epoch milliseconds. Default: now; the future is clamped to now. */
  readonly at?: number;
  /** Enhanced status code (RFC 3463), such as 5.1.1. */
  readonly code?: string;
}

/** @returns the text where it can be a server's name for a mail: one token that contains a digit */
export function asQueueId(text: string | undefined): string | undefined {
  return text !== undefined && /^(?=.*\d)[A-Za-z0-9-]{4,80}$/u.test(text) ? text : undefined;
}

/** A diagnostic text quotes addresses, so only its code is kept. */
export function findStatusCode(text: string): string | undefined {
  return /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/u.exec(text)?.[1];
}
