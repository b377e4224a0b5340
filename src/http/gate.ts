/** The gate for authenticated requests: checks the credential and the rate limit. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** One way to authenticate. */
export interface Entrance {
  /**
   * @returns a name of the credential for the rate limit, never the credential itself; `undefined`: refused
   */
  callerOf(request: FastifyRequest): string | undefined;
  /** The message for a caller without a valid credential. */
  readonly message: string;
  /** `WWW-Authenticate` header of a 401 answer. */
  readonly challenge?: string;
}

/** Requests a minute. Each gateway process counts for itself. */
export interface RateLimits {
  /** Per service token. */
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

export interface Gate {
  /** A hook for `onRequest`: answers 401 or 429 itself, before the body is read. */
  guard(entrance: Entrance): (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** A hook for `onRequest` of public routes: answers 429 to an address that asks too often. */
  guardOpen(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a request of a known caller. @returns whether it was answered 429 */
  isOverLimit(request: FastifyRequest, reply: FastifyReply, caller: string): Promise<boolean>;
  /** Answers 401, or 429 to an address that was refused too often. */
  refuse(request: FastifyRequest, reply: FastifyReply, entrance: Omit<Entrance, 'callerOf'>): Promise<void>;
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

/** @param server has @fastify/rate-limit registered */
export function createGate(server: FastifyInstance, limits: RateLimits): Gate {
  const callers = new WeakMap<FastifyRequest, string>();
  const nameOf = (request: FastifyRequest) => callers.get(request) ?? '';
  const timeWindow = 60_000;
  const known = server.createRateLimit({
    timeWindow,
    max: (request) => limitOf(nameOf(request), limits),
    keyGenerator: nameOf,
  });
  const refused = server.createRateLimit({ timeWindow, max: limits.refusedPerMinute });
  const open = server.createRateLimit({ timeWindow, max: limits.openPerMinute });

  const gate: Gate = {
    async isOverLimit(request, reply, caller) {
      callers.set(request, caller);
      return isExceeded(known, request, reply);
    },
    async refuse(request, reply, { message, challenge }) {
      if (await isExceeded(refused, request, reply)) return;
      if (challenge !== undefined) reply.header('www-authenticate', challenge);
      await reply.code(401).send({ error: 'unauthorized', message });
    },
    async guardOpen(request, reply) {
      await isExceeded(open, request, reply);
    },
    guard: (entrance) => async (request, reply) => {
      const caller = entrance.callerOf(request);
      if (caller === undefined) await gate.refuse(request, reply, entrance);
      else await gate.isOverLimit(request, reply, caller);
    },
  };
  return gate;
}

function limitOf(caller: string, limits: RateLimits): number {
  if (caller.startsWith('hook:')) return limits.hookPerMinute;
  return caller === 'signed' ? limits.signedPerMinute : limits.servicePerMinute;
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
