/**
 * An API of a page: a sign-in gives an access token, which ends when nobody uses it. In the sliding mode tokens are short, and a new one is
 * given for a good one alone, so that there is no refresh token.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type InactiveTokensOptions, inactiveTokens } from '@dormouse/client/inactive-tokens/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { SignJWT } from 'jose';
import { page } from './page.js';
import { signInNatively } from './sign-in.js';

export interface ExampleOptions
  extends Pick<InactiveTokensOptions, 'postgresUrl' | 'log' | 'staleMs'>,
    Partial<Pick<InactiveTokensOptions, 'clock'>> {
  readonly kratosPublicUrl: string;
  /** Signs access tokens: 32 bytes. */
  readonly secret: Uint8Array;
  readonly sliding?: boolean;
}

/** A sign-in, as its tokens name it. */
interface SignIn {
  readonly identityId: string;
  readonly sid: string;
  /** Epoch seconds. */
  readonly authTime: number;
}

const issuer = 'https://inactive-tokens.example';
const audience = issuer;
/** No sign-in gives tokens for longer, however busy the person is. */
const longestSignInSeconds = 12 * 3_600;
const open = { config: { dormouseToken: { public: true } } };

export async function createExample({
  kratosPublicUrl,
  secret,
  sliding = false,
  ...options
}: ExampleOptions): Promise<FastifyInstance> {
  const app = Fastify();
  const now = options.clock ?? Date.now;
  const lifeSeconds = sliding ? 15 * 60 : 60 * 60;

  await app.register(inactiveTokens, {
    ...options,
    ...{ keys: { secret }, issuer, audience },
    policy: sliding ? { sliding: true, idle: '10m' } : { idle: '20m' },
    requestLog: { app: 'example' },
  });

  const sign = async ({ identityId, sid, authTime }: SignIn) => {
    const issuedAt = Math.floor(now() / 1_000);
    const accessToken = await new SignJWT({ sid, auth_time: authTime })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setSubject(identityId)
      .setIssuer(issuer)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifeSeconds)
      .sign(secret);
    return { accessToken, expiresIn: lifeSeconds, sliding };
  };

  app.post<{ Body: { identifier?: unknown; password?: unknown } }>('/login', open, async (request, reply) => {
    const { identifier, password } = request.body ?? {};
    const identityId = await signInNatively(kratosPublicUrl, {
      identifier: String(identifier),
      password: String(password),
    });
    if (identityId === undefined) return reply.code(401).send({ error: 'sign_in_refused' });
    return sign({ identityId, sid: randomUUID(), authTime: Math.floor(now() / 1_000) });
  });

  // For the page to go on while the person is there. It is no use itself: only what the person does is.
  app.post('/renew', { config: { dormouseToken: { background: true } } }, async (request, reply) => {
    const { identityId, claims } = request.dormouseToken ?? {};
    const authTime = Math.floor((claims?.authenticatedAt ?? 0) / 1_000);
    const isOver = now() / 1_000 - authTime >= longestSignInSeconds;
    if (identityId === undefined || claims?.sessionId === undefined || isOver) {
      return reply.code(401).send({ error: 'invalid_token', end: 'time' });
    }
    return sign({ identityId, sid: claims.sessionId, authTime });
  });

  app.get('/api/me', (request) => ({ id: request.dormouseToken?.identityId }));

  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', "default-src 'self'");
    reply.header('cache-control', 'no-store');
  });
  for (const path of ['/', '/sign-in']) {
    app.get(path, open, (_request, reply) => reply.type('text/html').send(page));
  }
  const library = createRequire(import.meta.url).resolve('@dormouse/browser/tokens/script');
  app.get('/dormouse-tokens.js', open, async (_request, reply) =>
    reply.type('text/javascript').send(await readFile(library)),
  );
  app.get('/app.js', open, async (_request, reply) =>
    reply.type('text/javascript').send(await readFile(new URL('./public/app.js', import.meta.url))),
  );
  return app;
}
