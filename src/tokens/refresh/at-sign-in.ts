/** What a sign-in revokes: the person's own families that nobody uses any more. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { RefreshPolicy } from '../../domain/tokens/refresh-policy.js';
import {
  type RequestOrigin,
  reasonAtSignIn,
  type StaleReason,
} from '../../domain/tokens/refresh-staleness.js';
import type { JudgedBy } from './exchange.js';
import { endFamilies, type RefreshFamily, readLiveFamilies } from './families-table.js';

/** The rules of staleness, and how long a family must be unused for each, milliseconds. `null`: its use makes no difference. */
export function unusedFor(reason: StaleReason, policy: RefreshPolicy): number | null {
  const limits = {
    unused: policy.unused,
    inactive: policy.inactive,
    same_origin: policy.sameOrigin,
    lifetime: null,
  };
  return limits[reason];
}

/**
 * Families of other policies are left to their apps. A family that is used in this very moment stays.
 * @returns how many ended
 */
export async function endStaleAtSignIn(
  pool: pg.Pool,
  { policy, reference }: JudgedBy,
  { identityId, origin }: { readonly identityId: string; readonly origin: RequestOrigin },
  now: number,
): Promise<number> {
  const families = await readLiveFamilies(pool, identityId, reference?.id ?? null);
  const byReason = new Map<StaleReason, RefreshFamily[]>();
  for (const family of families) {
    const reason = reasonAtSignIn(family, origin, policy, now);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), family]);
  }
  let ended = 0;
  for (const [why, stale] of byReason) {
    const unused = unusedFor(why, policy);
    const gone = await endFamilies(
      pool,
      {
        familyIds: stale.map(({ familyId }) => familyId),
        why,
        ...given({ policy: reference, unusedSince: unused === null ? undefined : now - unused }),
      },
      now,
    );
    ended += gone.length;
  }
  return ended;
}
