/** Who calls the desk: the session behind the cookie. How those who are refused are answered. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PageAccess } from '../http/access.js';
import type { Gate } from '../http/gate.js';
import type { Identified } from '../principals/authenticator.js';
import { useOperatorSession } from '../principals/operator-sessions-table.js';
import type { DeskContext } from './context.js';
import { returnPath } from './return-path.js';
import { showProblem } from './show.js';

export function deskAccess(context: DeskContext, gate: Gate): PageAccess {
  return {
    identify: (request) => identify(context, request),
    refuse: async (request, reply, { cause, scope }) => {
      // Cookies that are guessed cost a query each.
      await gate.guardOpen(request, reply);
      if (reply.sent) return reply;
      switch (cause) {
        case 'scope':
          return showProblem(context, request, reply, {
            status: 403,
            title: 'Not allowed',
            message: `Your role does not hold the scope ${scope}. Ask whoever gives roles for another one, or a colleague to do it.`,
          });
        case 'unavailable':
          return showProblem(context, request, reply.header('retry-after', '5'), {
            status: 503,
            title: 'Not now',
            message: 'Who you are can not be told at the moment, because PostgreSQL does not answer.',
          });
        default:
          return signInAgain(context, request, reply);
      }
    },
  };
}

async function signInAgain(
  context: DeskContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (request.method === 'GET') {
    const to = encodeURIComponent(returnPath(request.url));
    return reply.redirect(`/desk/sign-in?to=${to}`, 303);
  }
  return showProblem(context, request, reply, {
    status: 401,
    title: 'Signed out',
    message:
      'Your session has ended, and nothing was changed. Sign in again in another tab, go back, and send the form once more from a fresh page.',
  });
}

async function identify(
  { pool, cookies, limits, signIn }: DeskContext,
  request: FastifyRequest,
): Promise<Identified> {
  const secret = cookies.session(request.headers);
  if (secret === undefined) return { kind: 'refused', cause: 'none' };
  try {
    const found = await useOperatorSession(pool, secret, limits);
    if (found.kind === 'live') {
      const { actor } = found.principal;
      const principal = signIn.stillGiven(found.principal);
      return principal === undefined
        ? { kind: 'refused', cause: 'ended', actor }
        : { kind: 'known', principal, caller: actor };
    }
    if (found.kind === 'ended') return { kind: 'refused', cause: 'ended', actor: found.actor };
    return { kind: 'refused', cause: 'unknown' };
  } catch (error) {
    request.log.error({ err: error }, 'a session of the desk could not be read');
    return { kind: 'refused', cause: 'unavailable' };
  }
}
