/** Carries the end of families out in Hydra. */
import type { OAuth2Api } from '@ory/client';
import { callOry } from '../../ory/call.js';
import { OutageWatch } from '../../process/outage.js';
import type { RefreshSweepDependencies } from './sweep.js';
import { type ClientOfPerson, markFamiliesClosed, readClosable } from './sweep-table.js';

/** Clients of people that are read at once. */
const closedAtOnce = 500;

export interface CloseDependencies extends RefreshSweepDependencies {
  readonly oauth2: Pick<OAuth2Api, 'revokeOAuth2ConsentSessions'>;
  /** Told of each client whose end was not carried out. */
  readonly onFailure?: (error: unknown, identityId: string) => void;
}

/**
 * Revokes consents in Hydra whose families all ended. Hydra 2.3.0 revokes by subject and client, so it waits for the last family of a
 * client; until then, the token hook refuses the ended ones. Clients that Hydra refuses hold up no others.
 */
export async function closeHydraFamilies(
  dependencies: CloseDependencies,
  now: number,
): Promise<{ readonly closed: number; readonly failed: number }> {
  const { pool, onProgress, onFailure } = dependencies;
  const counts = { closed: 0, failed: 0 };
  const watch = new OutageWatch();
  let after: ClientOfPerson | undefined;
  for (;;) {
    const page = await readClosable(pool, closedAtOnce, { after });
    for (const client of page) {
      onProgress?.();
      try {
        counts.closed += await closeClient(dependencies, client, now);
        watch.succeeded();
      } catch (error) {
        onFailure?.(error, client.identityId);
        counts.failed += 1;
        if (watch.failed(error)) return counts;
      }
    }
    after = page.at(-1);
    if (page.length < closedAtOnce) return counts;
  }
}

/** @returns how many families were closed */
async function closeClient(
  { pool, oauth2 }: CloseDependencies,
  { identityId, clientId }: ClientOfPerson,
  now: number,
): Promise<number> {
  // The page may be minutes old. Who has signed in since keeps the new grant.
  // guard: refresh: who signed in since a page was read keeps the grant in Hydra
  const [owed] = await readClosable(pool, 1, { only: { identityId, clientId } });
  if (owed === undefined) return 0;
  await callOry('Hydra', 'revokeOAuth2ConsentSessions', () =>
    oauth2.revokeOAuth2ConsentSessions({ subject: identityId, client: clientId }),
  );
  await markFamiliesClosed(pool, owed.familyIds, now);
  return owed.familyIds.length;
}
