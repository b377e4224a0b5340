/** Asks Kratos whose session it is (whoami). */

import { Configuration, FrontendApi } from '@ory/client';
import { z } from 'zod';
import { given } from '../domain/given.js';
import type { Credential } from './credentials.js';
import { unavailable, VerificationUnavailableError } from './errors.js';
import { nobody, type Verdict } from './verdict.js';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const sessionSchema = z.object({
  active: z.literal(true),
  expires_at: time.optional().catch(undefined),
  // Kratos omits the state in identities older than the field.
  identity: z.object({ id: z.guid(), state: z.literal('active').default('active') }),
});

export type SessionCredential = Extract<Credential, { type: 'session-cookie' | 'session-token' }>;

/** @returns a function that verifies; it throws VerificationUnavailableError */
export function kratosVerifier(publicUrl: string, timeoutMs: number) {
  const frontend = new FrontendApi(
    new Configuration({
      basePath: publicUrl.replace(/\/+$/, ''),
      baseOptions: {
        timeout: timeoutMs,
        maxRedirects: 0,
        maxContentLength: 1_000_000,
        validateStatus: () => true,
      },
    }),
  );
  return async (credential: SessionCredential, signal: AbortSignal): Promise<Verdict> => {
    const proof =
      credential.type === 'session-token'
        ? { xSessionToken: credential.value }
        : { cookie: credential.value };
    const { status, data } = await frontend.toSession(proof, { signal }).catch((error: unknown) => {
      throw unavailable('Kratos', error);
    });
    // 401: no such session. 403: the second factor is still missing, so no identity is proven yet.
    if (status === 401 || status === 403) return nobody;
    if (status !== 200) throw new VerificationUnavailableError('Kratos', `answered ${status}`);
    const session = sessionSchema.safeParse(data);
    if (!session.success) return nobody;
    const { identity, expires_at: expiresAt } = session.data;
    return {
      identity: { identityId: identity.id, kind: 'human' },
      ...given({ expiresAt }),
    };
  };
}
