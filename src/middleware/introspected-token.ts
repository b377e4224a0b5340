/** Asks Hydra whose token it is: introspection (RFC 7662). */
import { Configuration, OAuth2Api } from '@ory/client';
import { z } from 'zod';
import { unavailable, VerificationUnavailableError } from './errors.js';
import { ownerOf } from './token-claims.js';
import { nobody, type Verdict } from './verdict.js';

const activeAccessToken = z.looseObject({ active: z.literal(true), token_use: z.literal('access_token') });

/** @returns a function that verifies; it throws VerificationUnavailableError */
export function introspectionVerifier(hydraAdminUrl: string, timeoutMs: number) {
  const oauth2 = new OAuth2Api(
    new Configuration({
      basePath: hydraAdminUrl.replace(/\/+$/, ''),
      baseOptions: {
        timeout: timeoutMs,
        maxRedirects: 0,
        maxContentLength: 1_000_000,
        validateStatus: () => true,
      },
    }),
  );
  return async (token: string, signal: AbortSignal): Promise<Verdict> => {
    const { status, data } = await oauth2
      .introspectOAuth2Token({ token }, { signal })
      .catch((error: unknown) => {
        throw unavailable('Hydra', error);
      });
    if (status !== 200) throw new VerificationUnavailableError('Hydra', `answered ${status}`);
    // A refresh token belongs to the issuer, never to an API. Here it is a leak, not a sign of life.
    const claims = activeAccessToken.safeParse(data);
    return claims.success ? ownerOf(claims.data) : nobody;
  };
}
