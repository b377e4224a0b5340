/** The second look: the latest sign of life from every source (docs/architecture.md, invariant 1). */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { type LatestSigns, mergeSign } from '../domain/sign-of-life.js';
import { latestAuthentication, readSessions } from '../ory/kratos-identity.js';
import type { Clock } from '../process/clock.js';
import { readSigns } from '../signs/signs-table.js';

export interface EvidenceDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

/** @returns the latest sign of each kind, from PostgreSQL and from the sign-ins of Kratos' sessions */
export async function readEvidence(deps: EvidenceDependencies, identityId: string): Promise<LatestSigns> {
  const [recorded, sessions] = await Promise.all([
    // guard: second look: recorded signs of life are read again before each rung
    readSigns(deps.pool, identityId),
    readSessions(deps.identities, identityId),
  ]);
  const now = await deps.clock.now();
  const authenticatedAt = latestAuthentication(sessions);
  // guard: second look: sign-ins that Kratos' sessions show count
  return authenticatedAt === undefined
    ? recorded
    : mergeSign(recorded, { kind: 'human', at: authenticatedAt }, now);
}
