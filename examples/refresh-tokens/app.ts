/** An API for a native app: a sign-in gives a short access token and a refresh token, which rotates. */
import {
  type RefreshTokensOptions,
  refreshTokens,
  type TokenHolder,
} from '@dormouse/client/refresh-tokens/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { jwtVerify, SignJWT } from 'jose';
import { signInNatively } from './sign-in.js';

export interface ExampleOptions extends Pick<RefreshTokensOptions, 'postgresUrl' | 'key' | 'clock'> {
  readonly kratosPublicUrl: string;
  /** Signs access tokens: 32 bytes. */
  readonly signingKey: Uint8Array;
}

const audience = 'example';
const accessTokenSeconds = 300;

export async function createExample({
  kratosPublicUrl,
  signingKey,
  ...options
}: ExampleOptions): Promise<FastifyInstance> {
  const app = Fastify();
  const now = options.clock ?? Date.now;

  const sign = async ({ identityId, familyId, issuedAt }: Required<TokenHolder> & { issuedAt: number }) => ({
    accessToken: await new SignJWT({ family: familyId })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(identityId)
      .setAudience(audience)
      .setIssuedAt(Math.floor(issuedAt / 1_000))
      .setExpirationTime(Math.floor(issuedAt / 1_000) + accessTokenSeconds)
      .sign(signingKey),
    expiresIn: accessTokenSeconds,
  });

  /** From the verified access token, never from what the caller says. */
  const identify = async (authorization: string | undefined): Promise<TokenHolder | undefined> => {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    const verified = await jwtVerify(token, signingKey, { audience, currentDate: new Date(now()) }).catch(
      () => undefined,
    );
    const { sub: identityId, family: familyId } = verified?.payload ?? {};
    if (identityId === undefined || typeof familyId !== 'string') return undefined;
    return { identityId, familyId };
  };

  await app.register(refreshTokens, {
    ...options,
    policy: { unused: '90d', sameOrigin: 'off' },
    identify: ({ headers }) => identify(headers.authorization),
    mint: sign,
  });

  app.post<{ Body: { identifier?: unknown; password?: unknown; device?: unknown } }>(
    '/login',
    async (request, reply) => {
      const { identifier, password, device } = request.body ?? {};
      const identityId = await signInNatively(kratosPublicUrl, {
        identifier: String(identifier),
        password: String(password),
      });
      if (identityId === undefined) return reply.code(401).send({ error: 'sign_in_refused' });
      const granted = await app.refreshTokens.issue({
        ...{ identityId, clientId: 'example', request },
        ...(typeof device === 'string' && { deviceName: device }),
      });
      if (!granted.granted) return reply.code(403).send({ error: 'account' });
      const { familyId, refreshToken } = granted;
      return { ...(await sign({ identityId, familyId, issuedAt: now() })), refreshToken };
    },
  );

  app.get('/me', async ({ headers }, reply) => {
    const holder = await identify(headers.authorization);
    return holder === undefined
      ? reply.code(401).send({ error: 'invalid_token' })
      : { id: holder.identityId };
  });
  return app;
}
