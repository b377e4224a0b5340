/** What a sign-in revokes: the person's own families that nobody uses any more. */
import type pg from 'pg';
import {
  type RequestOrigin,
  reasonAtSignIn,
  type StaleReason,
} from '../../domain/tokens/refresh-staleness.js';
import { endStale } from './end-stale.js';
import { type RefreshFamily, readLiveFamilies } from './families-table.js';
import type { JudgedBy } from './judged-by.js';

/**
 * Families of other policies are left to their apps. A family that is used in this very moment stays.
 * @returns how many ended
 */
export async function endStaleAtSignIn(
  pool: pg.Pool,
  judgedBy: JudgedBy,
  { identityId, origin }: { readonly identityId: string; readonly origin: RequestOrigin },
  now: number,
): Promise<number> {
  const { policy, reference } = judgedBy;
  const families = await readLiveFamilies(pool, identityId, reference?.id ?? null);
  const byReason = new Map<StaleReason, RefreshFamily[]>();
  for (const family of families) {
    const reason = reasonAtSignIn(family, origin, policy, now);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), family]);
  }
  let ended = 0;
  for (const [why, stale] of byReason) {
    ended += await endStale(pool, judgedBy, { why, familyIds: stale.map(({ familyId }) => familyId) }, now);
  }
  return ended;
}
