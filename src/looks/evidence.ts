/** The second look: the latest sign of life from every source (docs/architecture.md, invariant 1). */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { type LatestActivity, mergeSign } from '../domain/sign-of-life.js';
import { latestAuthentication, readSessions } from '../ory/kratos-identity.js';
import type { Clock } from '../process/clock.js';
import { readActivity } from '../signs/signs-table.js';

export interface EvidenceSources {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

/** @returns the latest sign of each kind, from PostgreSQL and from the sign-ins of Kratos' sessions */
export async function readEvidence(sources: EvidenceSources, identityId: string): Promise<LatestActivity> {
  const [recorded, sessions] = await Promise.all([
    // guard: second look: recorded activity is read again before each rung
    readActivity(sources.pool, identityId),
    readSessions(sources.identities, identityId),
  ]);
  const now = await sources.clock.now();
  const authenticatedAt = latestAuthentication(sessions);
  // guard: second look: sign-ins that Kratos' sessions show count
  return authenticatedAt === undefined
    ? recorded
    : mergeSign(recorded, { kind: 'human', at: authenticatedAt }, now);
}
