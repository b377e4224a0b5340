/** The gate for requests: rate limits, and the answers to those that are refused. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** How a request without a valid credential is answered. */
export interface Refusal {
  /** Default: 401. */
  readonly status?: 401 | 403;
  /** Default: `unauthorized`. */
  readonly error?: string;
  readonly message: string;
  /** `WWW-Authenticate` header. */
  readonly challenge?: string;
}

/** Requests a minute. Each gateway process counts for itself. */
export interface RateLimits {
  /** Per credential. */
  readonly servicePerMinute: number;
  /** Per hook. Above it Kratos loses a sign of life, and Hydra a token, so it is far above normal use. */
  readonly hookPerMinute: number;
  /** For all callers that sign their events. */
  readonly signedPerMinute: number;
  /** Refused credentials per IP address. Valid ones from the same address are not affected. */
  readonly refusedPerMinute: number;
  /** Pages that one IP address opens by links in mails. */
  readonly pagesPerMinute: number;
  /** Reactivation links that one IP address requests. */
  readonly linkRequestsPerMinute: number;
  /** Requests of one IP address for public content. */
  readonly openPerMinute: number;
}

export const defaultRateLimits: RateLimits = {
  servicePerMinute: 12_000,
  hookPerMinute: 60_000,
  signedPerMinute: 12_000,
  refusedPerMinute: 60,
  pagesPerMinute: 60,
  linkRequestsPerMinute: 5,
  openPerMinute: 300,
};

/** Which limit a caller has. */
export type CallerKind = 'service' | 'hook' | 'signed';

export interface Gate {
  /** A hook for `onRequest` of public routes: answers 429 to an address that asks too often. */
  guardOpen(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /**
   * Counts a request of a known caller.
   * @param caller a name of the credential, never the credential itself
   * @returns whether it was answered 429
   */
  isOverLimit(
    request: FastifyRequest,
    reply: FastifyReply,
    caller: string,
    kind: CallerKind,
  ): Promise<boolean>;
  /** Answers 401 or 403, or 429 to an address that was refused too often. */
  refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<void>;
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

/** @param server has @fastify/rate-limit registered */
export function createGate(server: FastifyInstance, limits: RateLimits): Gate {
  const callers = new WeakMap<FastifyRequest, { readonly name: string; readonly kind: CallerKind }>();
  const timeWindow = 60_000;
  const known = server.createRateLimit({
    timeWindow,
    max: (request) => limitOf(callers.get(request)?.kind ?? 'service', limits),
    keyGenerator: (request) => callers.get(request)?.name ?? '',
  });
  const refused = server.createRateLimit({ timeWindow, max: limits.refusedPerMinute });
  const open = server.createRateLimit({ timeWindow, max: limits.openPerMinute });

  return {
    async isOverLimit(request, reply, caller, kind) {
      callers.set(request, { name: `${kind}/${caller}`, kind });
      return isExceeded(known, request, reply);
    },
    async refuse(request, reply, { status = 401, error = 'unauthorized', message, challenge }) {
      if (await isExceeded(refused, request, reply)) return;
      if (challenge !== undefined) reply.header('www-authenticate', challenge);
      await reply.code(status).send({ error, message });
    },
    async guardOpen(request, reply) {
      await isExceeded(open, request, reply);
    },
  };
}

function limitOf(kind: CallerKind, limits: RateLimits): number {
  if (kind === 'hook') return limits.hookPerMinute;
  return kind === 'signed' ? limits.signedPerMinute : limits.servicePerMinute;
}

async function isExceeded(limiter: Limiter, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const count = await limiter(request);
  if (count.isAllowed || !count.isExceeded) return false;
  const message = `Too many requests. Wait ${count.ttlInSeconds} s (Retry-After) and send fewer, or batches.`;
  await reply
    .code(429)
    .header('retry-after', String(count.ttlInSeconds))
    .send({ error: 'rate_limited', message });
  return true;
}
