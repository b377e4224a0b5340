/** Activities on Hydra: end an identity's tokens and login sessions. May run again at any time. */
import type { OAuth2Api } from '@ory/client';
import { callOry } from '../ory/call.js';
import { tryAgain } from '../process/step-error.js';

export interface HydraDependencies {
  readonly oauth2: OAuth2Api;
}

/** How often consents are revoked and listed again before the step is retried with back-off. */
const revocationRounds = 5;

export function createHydraActivities({ oauth2 }: HydraDependencies) {
  return {
    /**
     * Revokes every consent of the subject, and with it all access and refresh tokens of its chains, then its
     * login sessions. Lists again until no consent is left, including new ones. `client` must not be sent
     * along with `all`. Access tokens in JWT form still verify offline until they expire.
     */
    async endTokens(input: { identityId: string }): Promise<{ consents: number }> {
      const subject = input.identityId;
      let consents = 0;
      for (let round = 0; round <= revocationRounds; round += 1) {
        const listed = await countConsents(oauth2, subject);
        // guard: consents are listed again until none is left
        if (listed === 0 && round > 0) return { consents };
        consents += listed;
        await callOry('Hydra', 'revokeOAuth2ConsentSessions', () =>
          oauth2.revokeOAuth2ConsentSessions({ subject, all: true }),
        );
        await callOry('Hydra', 'revokeOAuth2LoginSessions', () =>
          oauth2.revokeOAuth2LoginSessions({ subject }),
        );
      }
      throw tryAgain('TokensRemain', `consents were still listed after ${revocationRounds} rounds`);
    },
  };
}

export type HydraActivities = ReturnType<typeof createHydraActivities>;

async function countConsents(oauth2: OAuth2Api, subject: string): Promise<number> {
  const listed = await callOry<unknown>('Hydra', 'listOAuth2ConsentSessions', () =>
    oauth2.listOAuth2ConsentSessions({ subject, pageSize: 250 }),
  );
  if (listed === undefined) return 0;
  if (!Array.isArray(listed))
    throw tryAgain('HydraMalformedAnswer', 'listOAuth2ConsentSessions answered no list');
  return listed.length;
}
