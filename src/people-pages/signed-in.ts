/** Pages that the session's cookie of Kratos opens. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Live } from '../middleware/idle-sessions/decision.js';
import { UnjudgedError } from '../middleware/idle-sessions/errors.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import { type PageContext, show } from './page.js';

/** Such a page renews nothing: to look at one's sessions is no work with any app. */
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
