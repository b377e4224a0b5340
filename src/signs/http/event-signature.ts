/** Signatures of events: HMAC-SHA-256 over a timestamp and the raw body. Pure but for the hash. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const timestampHeader = 'x-dormouse-timestamp';
export const signatureHeader = 'x-dormouse-signature';

/**
 * How far the sender's clock may differ from the gateway's, and how long a copy of a
 * request stays valid; milliseconds.
 */
export const signatureToleranceMs = 300_000;

const signaturePattern = /^v1=([0-9a-f]{64})$/;
const timestampPattern = /^[1-9][0-9]{8,11}$/;

/** @param timestamp epoch seconds, as in the header */
export function signEvent(secret: string, timestamp: string, body: Buffer | string): string {
  return `v1=${hmac(secret, timestamp, body).toString('hex')}`;
}

/** @returns epoch milliseconds, or `undefined` when it is not a time within the tolerance */
export function acceptableTimestamp(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || !timestampPattern.test(header)) return undefined;
  const at = Number(header) * 1_000;
  return Math.abs(now - at) <= signatureToleranceMs ? at : undefined;
}

/** @returns a check whose duration does not depend on whether, or where, a signature differs */
export function createSignatureCheck(secrets: readonly string[]) {
  return (timestamp: string, body: Buffer | string, signature: unknown): boolean => {
    const [, hex] = typeof signature === 'string' ? (signaturePattern.exec(signature) ?? []) : [];
    if (hex === undefined) return false;
    const presented = Buffer.from(hex, 'hex');
    // Every secret is tried, so that the duration does not show which one fits.
    return secrets.reduce(
      (found, secret) => timingSafeEqual(hmac(secret, timestamp, body), presented) || found,
      false,
    );
  };
}

function hmac(secret: string, timestamp: string, body: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
}
