/**
 * Signatures of events: HMAC-SHA-256 over a timestamp and the raw body, by Standard Webhooks 1.0 or in the shorter form that a shell can
 * make. Pure but for the hash. The package `standardwebhooks` knows one secret, and stops at the first signature that fits: here neither
 * may show in how long a check takes.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const timestampHeader = 'x-dormouse-timestamp';
export const signatureHeader = 'x-dormouse-signature';
/** Of Standard Webhooks 1.0. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

/**
 * How far the sender's clock may differ from the gateway's, and how long a copy of a
 * request stays valid; milliseconds.
 */
export const signatureToleranceMs = 300_000;

/** What a request's headers say: who signed is not known yet. */
export interface SignatureClaim {
  readonly form: 'webhook' | 'own';
  readonly timestamp: string;
  /** Signed before the body. */
  readonly prefix: string;
  /** One of them has to fit: during a rotation the sender may sign with two secrets. */
  readonly signatures: readonly Buffer[];
}

const ownSignature = /^v1=([0-9a-f]{64})$/;
/** `v1a` is of asymmetric keys, and is passed over (Standard Webhooks 1.0, "Signature scheme"). */
const webhookSignature = /^v1,([A-Za-z0-9+/]{43}=)$/;
const webhookId = /^[\x21-\x7e]{1,255}$/;
const timestampPattern = /^[1-9][0-9]{8,11}$/;
const mostSignatures = 10;
/** A secret as Standard Webhooks writes it: its bytes in base64. */
const webhookSecret = 'whsec_';

/** @param timestamp epoch seconds, as in the header */
export function signEvent(secret: string, timestamp: string, body: Buffer | string): string {
  return `v1=${hmac(secret, `${timestamp}.`, body).toString('hex')}`;
}

/** Whether the headers name a signature, good or not. */
export function claimsSignature(headers: IncomingHttpHeaders): boolean {
  return headers[signatureHeader] !== undefined || headers[webhookHeaders.signature] !== undefined;
}

/** @returns `undefined`: the headers are malformed */
export function signatureClaim(headers: IncomingHttpHeaders): SignatureClaim | undefined {
  return headers[webhookHeaders.signature] === undefined ? ownClaim(headers) : webhookClaim(headers);
}

/** @returns epoch milliseconds, or `undefined` when it is not a time within the tolerance */
export function acceptableTimestamp(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || !timestampPattern.test(header)) return undefined;
  const at = Number(header) * 1_000;
  return Math.abs(now - at) <= signatureToleranceMs ? at : undefined;
}

/** @returns a check whose duration does not depend on whether, or where, a signature differs */
export function createSignatureCheck(secrets: readonly string[]) {
  return ({ form, prefix, signatures }: SignatureClaim, body: Buffer | string): boolean => {
    // Every secret is tried with every signature, so that the duration does not show which ones fit.
    return secrets.reduce((found, secret) => {
      const expected = hmac(form === 'webhook' ? webhookKey(secret) : secret, prefix, body);
      return signatures.reduce((fits, presented) => timingSafeEqual(expected, presented) || fits, found);
    }, false);
  };
}

function ownClaim(headers: IncomingHttpHeaders): SignatureClaim | undefined {
  const { [timestampHeader]: timestamp, [signatureHeader]: signature } = headers;
  if (typeof timestamp !== 'string' || typeof signature !== 'string') return undefined;
  const [, hex] = ownSignature.exec(signature) ?? [];
  if (hex === undefined) return undefined;
  return { form: 'own', timestamp, prefix: `${timestamp}.`, signatures: [Buffer.from(hex, 'hex')] };
}

function webhookClaim(headers: IncomingHttpHeaders): SignatureClaim | undefined {
  const id = headers[webhookHeaders.id];
  const timestamp = headers[webhookHeaders.timestamp];
  const signature = headers[webhookHeaders.signature];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
    return undefined;
  if (!webhookId.test(id)) return undefined;
  const signatures = signature
    .split(' ')
    .slice(0, mostSignatures)
    .flatMap((one) => {
      const [, base64] = webhookSignature.exec(one) ?? [];
      return base64 === undefined ? [] : [Buffer.from(base64, 'base64')];
    });
  return signatures.length === 0
    ? undefined
    : { form: 'webhook', timestamp, prefix: `${id}.${timestamp}.`, signatures };
}

function webhookKey(secret: string): Buffer | string {
  return secret.startsWith(webhookSecret)
    ? Buffer.from(secret.slice(webhookSecret.length), 'base64')
    : secret;
}

function hmac(secret: Buffer | string, prefix: string, body: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(prefix).update(body).digest();
}
