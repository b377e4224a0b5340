/** Which clients of Hydra have sliding access, as the published policy says. */
import type pg from 'pg';
import { databaseNow } from '../postgres/database-now.js';
import { admitSliding, type SlidingAdmission, type SlidingGrant } from '../tokens/access/sliding.js';
import type { PublishedPolicy } from './published-policy.js';

/** @returns what the token hook calls. It throws where PostgreSQL is away */
export function slidingAccess(
  pool: pg.Pool,
  published: () => Promise<PublishedPolicy | undefined>,
): (grant: SlidingGrant) => Promise<SlidingAdmission> {
  return async (grant) => {
    const policy = (await published())?.policy;
    if (policy?.tokens?.access === undefined) return 'not-sliding';
    return admitSliding(pool, policy, grant, await databaseNow(pool));
  };
}
