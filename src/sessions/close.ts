/** Carries the end of a session out: in Kratos, and at the Hydra logins that were linked to it. */
import type { IdentityApi, OAuth2Api } from '@ory/client';
import { callOry } from '../ory/call.js';
import type { StoredSession } from './sessions-table.js';

export interface SessionClosers {
  readonly identities: Pick<IdentityApi, 'disableSession'>;
  /** Absent: linked logins are left to the engine's sweep. */
  readonly oauth2?: Pick<OAuth2Api, 'revokeOAuth2LoginSessions'>;
}

/**
 * Safe to repeat.
 * @returns whether nothing is left: without Hydra, linked logins are
 * @throws StepError where Kratos or Hydra is away or refuses
 */
export async function closeSession(
  { identities, oauth2 }: SessionClosers,
  { sessionId, loginSids }: Pick<StoredSession, 'sessionId' | 'loginSids'>,
): Promise<boolean> {
  // 404: Kratos has no such session any more.
  await callOry('Kratos', 'disableSession', () => identities.disableSession({ id: sessionId }));
  // guard: sessions: logins that are linked stay owed where Hydra is not at hand
  if (oauth2 === undefined) return loginSids.length === 0;
  for (const sid of loginSids) {
    await callOry('Hydra', 'revokeOAuth2LoginSessions', () => oauth2.revokeOAuth2LoginSessions({ sid }));
  }
  return true;
}
