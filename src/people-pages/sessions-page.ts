/** A person's own sessions: where they are signed in, "sign out" for each and for all others, and after how long they are signed out. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { pagePaths, sessionsPageUrl } from '../links/link-urls.js';
import { durationInWords, formatTime } from '../mail/durations.js';
import type { Live } from '../middleware/idle-sessions/decision.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import type { OwnSession } from '../middleware/idle-sessions/own-sessions.js';
import { isSameOrigin } from '../middleware/request-origin.js';
import { localeOf } from './accept-language.js';
import { deviceName } from './device-name.js';
import { bySession, type PageContext, show } from './page.js';
import { pageSchemas, type SessionsForm } from './page-schemas.js';
import type { ChoiceView, PageView, SessionView } from './render-page.js';
import { whenSignedIn } from './signed-in.js';

export function sessionRoutes(server: FastifyInstance, context: PageContext, guard: SessionGuard): void {
  const url = pagePaths.sessions;
  const origins = [new URL(context.baseUrl).origin];
  // Without a referrer a browser does not say which origin a form comes from, either.
  server.addHook('onSend', async (_request, reply) => {
    reply.header('referrer-policy', 'same-origin');
  });
  server.get(url, { config: bySession, schema: pageSchemas.sessions }, (request, reply) =>
    whenSignedIn(guard, context, request, reply, async (live) =>
      show(request, reply, context, 'sessions', await describe(guard, live, request)),
    ),
  );
  server.post<SessionsForm>(
    url,
    { config: bySession, schema: pageSchemas.changeSessions },
    (request, reply) => {
      // guard: sessions: a form of the page comes from the page
      if (!isSameOrigin(request.headers, origins)) return show(request, reply.code(403), context, 'problem');
      return whenSignedIn(guard, context, request, reply, async (live) => {
        if (request.body.do === 'sign-out') {
          await guard.signOut(request.headers);
          return show(request, reply, context, 'signed-out');
        }
        const isDone = await change(guard, live, request);
        return isDone
          ? reply.redirect(sessionsPageUrl(context.baseUrl), 303)
          : show(request, reply.code(400), context, 'problem');
      });
    },
  );
}

/** @returns whether the form says something that can be done */
async function change(
  guard: SessionGuard,
  live: Live,
  { body, headers }: FastifyRequest<SessionsForm>,
): Promise<boolean> {
  switch (body.do) {
    case 'end':
      await guard.own.end(live.session, headers, { id: body.id });
      return true;
    case 'end-others':
      await guard.own.end(live.session, headers, { others: true });
      return true;
    case 'choose':
      return guard.own.choose(live, body.idleMs);
    default:
      return false;
  }
}

async function describe(
  guard: SessionGuard,
  live: Live,
  { headers }: FastifyRequest,
): Promise<Partial<PageView>> {
  const { formatTag } = localeOf(headers['accept-language']);
  const { identityId, sessionId } = live.session;
  const own = await guard.own.list(identityId, headers);
  const sessions = own.map((session) => sessionView(session, sessionId, formatTag));
  const { offered, chosen } = guard.own.choices(live);
  const choices = offered.map(
    (idleMs): ChoiceView => ({
      idleMs,
      limit: idleMs === 0 ? '' : durationInWords(idleMs, formatTag),
      isChosen: idleMs === (chosen ?? 0),
    }),
  );
  return { sessions, choices, hasOthers: sessions.some(({ isCurrent }) => !isCurrent) };
}

function sessionView(
  { sessionId, device, place, authenticatedAt, lastActiveAt }: OwnSession,
  current: string,
  formatTag: string,
): SessionView {
  return {
    id: sessionId,
    device: deviceName(device) ?? '',
    place: place ?? '',
    since: formatTime(authenticatedAt, formatTag),
    seen: formatTime(lastActiveAt, formatTag),
    isCurrent: sessionId === current,
  };
}
