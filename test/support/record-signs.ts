/** Records signs of life as production does, for tests of the signs and not of the signals. */
import type pg from 'pg';
import { closeClaim, recordAndClaim } from '../../src/signs/claims-table.js';
import type { IdentitySign } from '../../src/signs/identity-sign.js';

export async function recordSigns(pool: pg.Pool, signs: readonly IdentitySign[]): Promise<void> {
  const claim = await recordAndClaim(pool, signs, Date.now());
  // No workflow is told, so the claims are closed: a worker of a later test would take over open ones.
  for (const id of claim.identityIds) await closeClaim(pool, claim.id, id);
}
