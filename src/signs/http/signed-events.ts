/**
 * Authentication of callers that have no service token and sign their events
 * instead. Only `/v1/activity` uses it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Entrance, Gate } from '../../http/gate.js';
import {
  acceptableTimestamp,
  claimsSignature,
  createSignatureCheck,
  type SignatureClaim,
  signatureClaim,
  signatureHeader,
  signatureToleranceMs,
  timestampHeader,
  webhookHeaders,
} from './event-signature.js';

export interface SignedEvents {
  /**
   * For `onRequest`, before the body is read: accepts a service token, or the headers of a signed request.
   */
  readonly beforeBody: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** For `preValidation`: checks the signature over the raw body, before anything has parsed it. */
  readonly onBody: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** @returns when the request was signed, epoch milliseconds; `undefined`: it had a service token */
  signedAt(request: FastifyRequest): number | undefined;
}

const message =
  'Send a service token (Authorization: Bearer <token>), or sign the event: ' +
  `${timestampHeader} in epoch seconds, at most ${signatureToleranceMs / 1_000} s off, and ${signatureHeader} as v1=<hex>; ` +
  `or ${Object.values(webhookHeaders).join(', ')} by Standard Webhooks.`;

/** @param secrets HMAC secrets; none: service tokens only */
export function signedEvents(gate: Gate, service: Entrance, secrets: readonly string[]): SignedEvents {
  const isSigned = createSignatureCheck(secrets);
  const claims = new WeakMap<FastifyRequest, { readonly claim: SignatureClaim; readonly at: number }>();
  // One message for all cases: it does not show which of token, timestamp and signature was wrong.
  const refusal = { ...service, ...(secrets.length === 0 ? {} : { message }) };
  const withToken = gate.guard(refusal);
  const isSignedOnly = ({ headers }: FastifyRequest) =>
    secrets.length > 0 && headers.authorization === undefined && claimsSignature(headers);

  return {
    async beforeBody(request, reply) {
      if (!isSignedOnly(request)) return withToken(request, reply);
      const claim = signatureClaim(request.headers);
      const at = acceptableTimestamp(claim?.timestamp, Date.now());
      if (claim === undefined || at === undefined) return gate.refuse(request, reply, refusal);
      claims.set(request, { claim, at });
    },
    async onBody(request, reply) {
      const known = claims.get(request);
      if (known === undefined) return;
      const body = Buffer.isBuffer(request.body) ? request.body : '';
      if (!isSigned(known.claim, body)) {
        return gate.refuse(request, reply, refusal);
      }
      await gate.isOverLimit(request, reply, 'signed');
    },
    signedAt: (request) => claims.get(request)?.at,
  };
}
