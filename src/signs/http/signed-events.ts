/**
 * Authentication of callers that have no service token and sign their events
 * instead. Only `/v1/activity` uses it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type OtherWay, type RefusedCall, refusedCall } from '../../http/access.js';
import type { Gate } from '../../http/gate.js';
import { refusalFor } from '../../http/presented.js';
import { signedEventsActor } from '../../principals/configured.js';
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
  /** Beside credentials: what a request with the headers of a signature takes. */
  readonly otherWay: OtherWay;
  /** For `onRequest`, before the body is read: refuses malformed headers, and those of another time. */
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

/**
 * @param secrets HMAC secrets; none: credentials only
 * @param onRefused told of each request whose signature does not hold
 */
export function signedEvents(
  gate: Gate,
  secrets: readonly string[],
  onRefused: (call: RefusedCall) => void,
): SignedEvents {
  const isSigned = createSignatureCheck(secrets);
  const claims = new WeakMap<FastifyRequest, { readonly claim: SignatureClaim; readonly at: number }>();
  // One message for all cases: it does not show which of token, timestamp and signature was wrong.
  const refusal = { ...refusalFor('signs:write'), ...(secrets.length === 0 ? {} : { message }) };
  const takes = ({ headers }: FastifyRequest) =>
    secrets.length > 0 && headers.authorization === undefined && claimsSignature(headers);
  const refuse = (request: FastifyRequest, reply: FastifyReply) => {
    onRefused(refusedCall(request, { cause: 'signature' }, 'signs:write'));
    return gate.refuse(request, reply, refusal);
  };

  return {
    otherWay: { takes, refusal },
    async beforeBody(request, reply) {
      if (!takes(request)) return;
      const claim = signatureClaim(request.headers);
      const at = acceptableTimestamp(claim?.timestamp, Date.now());
      if (claim === undefined || at === undefined) return refuse(request, reply);
      claims.set(request, { claim, at });
    },
    async onBody(request, reply) {
      if (!takes(request)) return;
      const known = claims.get(request);
      const body = Buffer.isBuffer(request.body) ? request.body : '';
      if (known === undefined || !isSigned(known.claim, body)) return refuse(request, reply);
      await gate.isOverLimit(request, reply, signedEventsActor, 'signed');
    },
    signedAt: (request) => claims.get(request)?.at,
  };
}
