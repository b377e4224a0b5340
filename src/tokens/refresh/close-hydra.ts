/** Carries the end of families out in Hydra. */
import type { OAuth2Api } from '@ory/client';
import { callOry } from '../../ory/call.js';
import { StepError } from '../../process/step-error.js';
import type { RefreshSweepDependencies } from './sweep.js';
import { type ClientOfPerson, markFamiliesClosed, readClosable } from './sweep-table.js';

/** Clients of people that are read at once. */
const closedAtOnce = 500;
/** Hydra is away. What is left waits for the next sweep. */
const failuresInARow = 5;

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
  let inARow = 0;
  let after: ClientOfPerson | undefined;
  for (;;) {
    const page = await readClosable(pool, closedAtOnce, { after });
    for (const client of page) {
      onProgress?.();
      try {
        counts.closed += await closeClient(dependencies, client, now);
        inARow = 0;
      } catch (error) {
        onFailure?.(error, client.identityId);
        counts.failed += 1;
        if (!isRefusal(error)) inARow += 1;
        if (inARow >= failuresInARow) return counts;
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

/** Hydra is there, and does not take this one. */
function isRefusal(error: unknown): boolean {
  return error instanceof StepError && error.type === 'HydraRefused';
}
