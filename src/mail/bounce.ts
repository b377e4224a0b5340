/** What is known of a mail that came back. Pure. */

/**
 * `hard`: it will not arrive. `soft`: late, and still under way. `complaint`: it arrived, and was called unwanted. Only
 * the first makes a notice not count.
 */
export const bounceKinds = ['hard', 'soft', 'complaint'] as const;
export type BounceKind = (typeof bounceKinds)[number];

export interface Bounce {
  /** Of the mail that was sent, with angle brackets; the one thing that a bounce is matched by. */
  readonly messageId: string;
  readonly kind: BounceKind;
  /** Epoch milliseconds. Default: now; the future is clamped to now. */
  readonly at?: number;
  /** Enhanced status code (RFC 3463), as 5.1.1. */
  readonly code?: string;
}

/** A Message-ID of Dormouse (see `stableMessageId`): 40 hex digits at the sender's domain. */
const ownMessageId = /<?([0-9a-f]{40}@[\p{L}\p{N}.-]{1,253})>?/u;

/** @returns the first Message-ID of ours in a text, with angle brackets */
export function findMessageId(text: string): string | undefined {
  const found = ownMessageId.exec(text)?.[1];
  return found === undefined ? undefined : `<${found}>`;
}

/** The rest of a diagnostic text quotes addresses: nothing but the code is kept of it. */
export function findStatusCode(text: string): string | undefined {
  return /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/u.exec(text)?.[1];
}
