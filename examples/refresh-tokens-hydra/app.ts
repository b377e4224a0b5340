/** An app whose refresh tokens are Hydra's: it serves Hydra's login and consent pages, and shows and ends what has access. */
import { randomBytes } from 'node:crypto';
import { idleSessions } from '@dormouse/client/idle-sessions/fastify';
import { type RefreshTokensOptions, refreshTokens } from '@dormouse/client/refresh-tokens/fastify';
import { Configuration, OAuth2Api } from '@ory/client';
import Fastify, { type FastifyInstance } from 'fastify';
import { type Client, clientIds, setClients } from './clients.js';
import { providerPages } from './provider.js';

export interface ExampleOptions extends Pick<RefreshTokensOptions, 'postgresUrl' | 'key'> {
  readonly kratos: { readonly publicUrl: string; readonly adminUrl: string };
  readonly hydra: { readonly publicUrl: string; readonly adminUrl: string };
  /** Where the app is reached: Hydra's `urls.login` and `urls.consent` lead there. */
  readonly url: string;
  /** Has the sections `sessions`, `tokens.refresh` and `tokens.access` (policy.yaml). */
  readonly policyId: string;
  /** How long a call to Kratos may take, milliseconds. */
  readonly verifyTimeoutMs?: number;
}

const open = { config: { dormouse: { public: true } } };
const stateCookie = 'example_state';

export async function createExample(options: ExampleOptions): Promise<FastifyInstance> {
  const { kratos, hydra, url, policyId: published, postgresUrl, key } = options;
  const app = Fastify();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
  const oauth2 = new OAuth2Api(new Configuration({ basePath: hydra.adminUrl }));
  const clients = await setClients(oauth2, url);

  const { verifyTimeoutMs = 2_000 } = options;
  // The end of a session ends its login at Hydra.
  await app.register(idleSessions, { postgresUrl, kratos, hydra, policy: { published }, verifyTimeoutMs });
  await app.register(refreshTokens, {
    ...{ postgresUrl, key, policy: { published } },
    // Not the family of this browser: its own access is a session.
    identify: ({ dormouse }) => (dormouse === null ? undefined : { identityId: dormouse.identityId }),
  });
  providerPages(app, oauth2, kratos.publicUrl);

  app.get('/', open, (_request, reply) => reply.type('text/html').send(startPage));
  app.get<{ Params: { client: string } }>('/start/:client', open, ({ params }, reply) => {
    const client = clients.find(({ id }) => id === params.client);
    if (client === undefined) return reply.code(404).send({ error: 'unknown_client' });
    const state = randomBytes(16).toString('base64url');
    return reply
      .header('set-cookie', `${stateCookie}=${state}; Path=/callback; HttpOnly; SameSite=Lax`)
      .redirect(authorizationUrl(hydra.publicUrl, client, state), 303);
  });
  app.get<{ Params: { client: string }; Querystring: { code?: string; state?: string; error?: string } }>(
    '/callback/:client',
    open,
    async ({ params, query, headers }, reply) => {
      const client = clients.find(({ id }) => id === params.client);
      const isOwn = headers.cookie?.split('; ').includes(`${stateCookie}=${query.state}`) === true;
      if (client === undefined || query.code === undefined || !isOwn) {
        return reply.code(400).send({ error: query.error ?? 'invalid_request' });
      }
      const grant = { grant_type: 'authorization_code', code: query.code, redirect_uri: client.redirectUri };
      const answer = await askForToken(hydra.publicUrl, client, grant);
      return reply.header('cache-control', 'no-store').code(answer.status).send(answer.body);
    },
  );
  app.post<{ Params: { client: string }; Body: { refreshToken?: string } }>(
    '/refresh/:client',
    open,
    async ({ params, body }, reply) => {
      const client = clients.find(({ id }) => id === params.client);
      if (client === undefined) return reply.code(404).send({ error: 'unknown_client' });
      const grant = { grant_type: 'refresh_token', refresh_token: body.refreshToken ?? '' };
      const answer = await askForToken(hydra.publicUrl, client, grant);
      return reply.header('cache-control', 'no-store').code(answer.status).send(answer.body);
    },
  );
  return app;
}

function authorizationUrl(hydraPublicUrl: string, { id, redirectUri }: Client, state: string): string {
  const url = new URL('/oauth2/auth', hydraPublicUrl);
  url.search = new URLSearchParams({
    ...{ client_id: id, response_type: 'code', scope: 'openid offline_access' },
    ...{ redirect_uri: redirectUri, state },
  }).toString();
  return url.href;
}

async function askForToken(hydraPublicUrl: string, { id, secret }: Client, grant: Record<string, string>) {
  const answer = await fetch(new URL('/oauth2/token', hydraPublicUrl), {
    method: 'POST',
    body: new URLSearchParams({ ...grant, client_id: id, client_secret: secret }),
  });
  return { status: answer.status, body: (await answer.json()) as object };
}

const startPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Refresh tokens of Hydra</title>
<main><h1>Refresh tokens of Hydra</h1>
<ul>${clientIds.map((id) => `<li><a href="/start/${id}">Tokens for ${id}</a></li>`).join('')}
<li><a href="/refresh-tokens">What has access (JSON)</a></li></ul></main></html>`;
