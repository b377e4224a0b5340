/** Carries the end of families out in Hydra. */
import type { OAuth2Api } from '@ory/client';
import { callOry } from '../../ory/call.js';
import type { RefreshSweepDependencies } from './sweep.js';
import { markFamiliesClosed, readClosable } from './sweep-table.js';

/** Clients of people that are read at once. */
const closedAtOnce = 500;
/** Hydra is away. What is left waits for the next sweep. */
const failuresInARow = 5;

/**
 * Revokes consents in Hydra whose families all ended. Hydra 2.3.0 revokes by subject and client, so it waits for the last family of a
 * client; until then, the token hook refuses the ended ones.
 */
export async function closeHydraFamilies(
  {
    pool,
    oauth2,
    onProgress,
  }: RefreshSweepDependencies & { readonly oauth2: Pick<OAuth2Api, 'revokeOAuth2ConsentSessions'> },
  now: number,
): Promise<{ readonly closed: number; readonly failed: number }> {
  const counts = { closed: 0, failed: 0 };
  for (;;) {
    const page = await readClosable(pool, closedAtOnce);
    let inARow = 0;
    for (const { identityId: subject, clientId: client, familyIds } of page) {
      onProgress?.();
      try {
        await callOry('Hydra', 'revokeOAuth2ConsentSessions', () =>
          oauth2.revokeOAuth2ConsentSessions({ subject, client }),
        );
        await markFamiliesClosed(pool, familyIds, now);
        counts.closed += familyIds.length;
        inARow = 0;
      } catch {
        counts.failed += 1;
        inARow += 1;
        if (inARow >= failuresInARow) return counts;
      }
    }
    // What failed would be read again.
    if (page.length < closedAtOnce || counts.failed > 0) return counts;
  }
}
