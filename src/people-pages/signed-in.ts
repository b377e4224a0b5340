/** Pages that the session's cookie of Kratos opens. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { routesAbove } from '../domain/sessions/paths.js';
import type { Live } from '../middleware/idle-sessions/decision.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import { UnjudgedError } from '../middleware/unjudged.js';
import { type PageContext, show } from './page.js';

/** How old a sign-in may be where the policy does not say so for the page. */
const freshForMs = 15 * 60_000;

/**
 * Runs only after a fresh sign-in: a cookie that was stolen while its session is idle must not be enough. What the policy's
 * `sessions.stepUp` names above the page counts, else a sign-in of the last 15 minutes.
 */
export function whenFreshlySignedIn(
  guard: SessionGuard,
  context: PageContext,
  request: FastifyRequest,
  reply: FastifyReply,
  run: (live: Live) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  return whenSignedIn(guard, context, request, reply, async ({ policy }) => {
    const rules = routesAbove(policy.stepUp, request.url).map(([, rule]) => rule);
    for (const stepUp of rules.length === 0 ? [{ maxAge: freshForMs }] : rules) {
      const decision = await guard.decide({ headers: request.headers, path: '/', isOwnRoute: true, stepUp });
      if (decision.kind === 'step-up') return show(request, reply, context, 'sign-in-again');
    }
    return whenSignedIn(guard, context, request, reply, run);
  });
}

/** Such a page renews nothing: reading one's own sessions is no work with any app. */
export async function whenSignedIn(
  guard: SessionGuard,
  context: PageContext,
  request: FastifyRequest,
  reply: FastifyReply,
  run: (live: Live) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    const decision = await guard.decide({ headers: request.headers, path: '/', isOwnRoute: true });
    if (decision.kind === 'live') return await run(decision);
    if (decision.kind === 'none' || decision.kind === 'ended')
      return show(request, reply, context, 'not-signed-in');
  } catch (error) {
    if (!(error instanceof UnjudgedError)) throw error;
  }
  return show(request, reply.header('retry-after', '60'), context, 'sessions-busy');
}
