/** Hydra's login and consent pages: people sign in at Kratos, and Hydra learns who they are and from which device. */

import type { GuardedSession } from '@dormouse/client/idle-sessions/fastify';
import type { OAuth2Api } from '@ory/client';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { signInAt } from './sign-in.js';

const open = { config: { dormouse: { public: true } } };

interface LoginForm {
  Body: { login_challenge?: string; identifier?: string; password?: string };
}

/** @param app has the plugins `idleSessions` and `refreshTokens` */
export function providerPages(app: FastifyInstance, oauth2: OAuth2Api, kratosPublicUrl: string): void {
  /** The login belongs to the session: where that ends, a client with sliding access gets no further token. */
  const accept = async (loginChallenge: string, sid: string | undefined, session: GuardedSession) => {
    if (sid !== undefined) await app.idleSessions.linkLogin(session.sessionId, sid);
    const { data } = await oauth2.acceptOAuth2LoginRequest({
      loginChallenge,
      acceptOAuth2LoginRequest: { subject: session.identityId, remember: true, remember_for: 0 },
    });
    return data.redirect_to;
  };

  app.get<{ Querystring: { login_challenge?: string } }>(
    '/login',
    open,
    async ({ query, dormouse }, reply) => {
      const { login_challenge: loginChallenge = '' } = query;
      const { data: login } = await oauth2.getOAuth2LoginRequest({ loginChallenge });
      if (dormouse !== null && (!login.skip || login.subject === dormouse.identityId)) {
        return reply.redirect(await accept(loginChallenge, login.session_id, dormouse), 303);
      }
      if (!login.skip) return reply.type('text/html').send(loginPage(loginChallenge));
      // Hydra remembers a login whose session is over.
      const { data } = await oauth2.rejectOAuth2LoginRequest({
        loginChallenge,
        rejectOAuth2Request: { error: 'login_required', status_code: 401 },
      });
      return reply.redirect(data.redirect_to, 303);
    },
  );

  app.post<LoginForm>('/login', open, async (request, reply) => {
    // Nobody is signed in by another site's form.
    if (request.headers['sec-fetch-site'] === 'cross-site') return reply.code(403).send();
    const { login_challenge: loginChallenge = '', identifier = '', password = '' } = request.body;
    const { data: login } = await oauth2.getOAuth2LoginRequest({ loginChallenge });
    const cookies = await signInAt(kratosPublicUrl, { identifier, password });
    const session = cookies && (await sessionOf(app, request, cookies));
    if (session === undefined) {
      return reply
        .code(401)
        .type('text/html')
        .send(loginPage(loginChallenge, 'Address or password is wrong.'));
    }
    const target = await accept(loginChallenge, login.session_id, session);
    return reply.header('set-cookie', cookies).redirect(target, 303);
  });

  // Both clients are the app's own, so nobody is asked for consent.
  app.get<{ Querystring: { consent_challenge?: string } }>('/consent', open, async (request, reply) =>
    consent(app, oauth2, request.query.consent_challenge ?? '', request, reply),
  );
}

async function consent(
  app: FastifyInstance,
  oauth2: OAuth2Api,
  consentChallenge: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { data: asked } = await oauth2.getOAuth2ConsentRequest({ consentChallenge });
  // Hydra tells the hook no device: the grant that follows takes this one over.
  await app.refreshTokens.consent({
    identityId: asked.subject ?? '',
    clientId: asked.client?.client_id ?? '',
    loginSessionId: asked.login_session_id ?? '',
    request: request.raw,
  });
  const { data } = await oauth2.acceptOAuth2ConsentRequest({
    consentChallenge,
    acceptOAuth2ConsentRequest: {
      grant_scope: asked.requested_scope ?? [],
      grant_access_token_audience: asked.requested_access_token_audience ?? [],
    },
  });
  return reply.redirect(data.redirect_to, 303);
}

/** The session that has just begun, as the guard notes it. */
async function sessionOf(
  app: FastifyInstance,
  { headers }: FastifyRequest,
  cookies: readonly string[],
): Promise<GuardedSession | undefined> {
  const cookie = cookies.map((set) => set.split(';', 1)[0]).join('; ');
  const decision = await app.idleSessions.decide({ headers: { ...headers, cookie }, path: '/login' });
  return decision.kind === 'live' ? decision.session : undefined;
}

function loginPage(challenge: string, problem = ''): string {
  const value = challenge.replace(/[^\w.~=-]/g, '');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in</title>
<main><h1>Sign in</h1><p role="alert">${problem}</p>
<form method="post" action="/login"><input type="hidden" name="login_challenge" value="${value}">
<label>E-mail <input name="identifier" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form></main></html>`;
}
