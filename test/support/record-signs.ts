/** Records signs of life as production does, for tests that care for the signs and not for who is told. */
import type pg from 'pg';
import { closeClaim, recordAndClaim } from '../../src/signs/claims-table.js';
import type { IdentitySign } from '../../src/signs/identity-sign.js';

export async function recordSigns(pool: pg.Pool, signs: readonly IdentitySign[]): Promise<void> {
  const claim = await recordAndClaim(pool, signs, Date.now());
  // Nobody is told: an open claim would be taken over by whichever worker runs next.
  for (const id of claim.identityIds) await closeClaim(pool, claim.id, id);
}
