/** Verifies a session at Kratos. */
import { given } from '../domain/given.js';
import { createWhoami, WhoamiError } from '../ory/whoami.js';
import { type Credential, proofOf } from './credentials.js';
import { VerificationUnavailableError } from './errors.js';
import { nobody, type Verdict } from './verdict.js';

export type SessionCredential = Extract<Credential, { type: 'session-cookie' | 'session-token' }>;

/** @returns a function that verifies; it throws VerificationUnavailableError */
export function kratosVerifier(publicUrl: string, timeoutMs: number) {
  const whoami = createWhoami(publicUrl, timeoutMs);
  return async (credential: SessionCredential, signal: AbortSignal): Promise<Verdict> => {
    const session = await whoami(proofOf(credential), signal).catch((error: unknown) => {
      throw error instanceof WhoamiError ? new VerificationUnavailableError('Kratos', error.message) : error;
    });
    if (session === undefined) return nobody;
    return {
      identity: { identityId: session.identityId, kind: 'human' },
      ...given({ expiresAt: session.expiresAt }),
    };
  };
}
