/** What is known of a mail that came back. Pure. */

/**
 * `hard`: it will not arrive. `soft`: late, and still under way. `complaint`: it arrived, and was called unwanted. Only
 * the first makes a notice not count.
 */
export const bounceKinds = ['hard', 'soft', 'complaint'] as const;
export type BounceKind = (typeof bounceKinds)[number];

/** What a report calls the mail that it is about. */
export interface BounceReference {
  /** The Message-ID that we gave it, with angle brackets. */
  readonly messageId?: string;
  /**
   * Names that the server may have given it when it took it. The report of a relay that writes Message-IDs of its own has
   * nothing else.
   */
  readonly queueIds?: readonly string[];
}

export interface Bounce extends BounceReference {
  readonly kind: BounceKind;
  /** Epoch milliseconds. Default: now; the future is clamped to now. */
  readonly at?: number;
  /** Enhanced status code (RFC 3463), as 5.1.1. */
  readonly code?: string;
}

/** @returns the text where it can be a server's name for a mail: one token with a digit in it */
export function asQueueId(text: string | undefined): string | undefined {
  return text !== undefined && /^(?=.*\d)[A-Za-z0-9-]{4,80}$/u.test(text) ? text : undefined;
}

/** The rest of a diagnostic text quotes addresses: nothing but the code is kept of it. */
export function findStatusCode(text: string): string | undefined {
  return /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/u.exec(text)?.[1];
}
