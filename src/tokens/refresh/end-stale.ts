/** Ends families by a rule of staleness, as far as what the decision rests on still holds. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { RefreshPolicy } from '../../domain/tokens/refresh-policy.js';
import type { StaleReason } from '../../domain/tokens/refresh-staleness.js';
import { endFamilies } from './families-table.js';
import type { JudgedBy } from './judged-by.js';

/** How long a family must be unused for each rule, milliseconds. `null`: its use makes no difference. */
function unusedFor(why: StaleReason, policy: RefreshPolicy): number | null {
  const limits = {
    unused: policy.unused,
    inactive: policy.inactive,
    same_origin: policy.sameOrigin,
    lifetime: null,
  };
  return limits[why];
}

/**
 * A family that was used since it was judged stays, as does that of a person who showed up since.
 * @param now when the families were judged, epoch milliseconds
 * @returns how many ended
 */
export async function endStale(
  connection: pg.Pool | pg.PoolClient,
  { policy, reference }: JudgedBy,
  { why, familyIds }: { readonly why: StaleReason; readonly familyIds: readonly string[] },
  now: number,
): Promise<number> {
  const unused = unusedFor(why, policy);
  const ended = await endFamilies(
    connection,
    {
      familyIds,
      why,
      ...given({
        policy: reference,
        unusedSince: unused === null ? undefined : now - unused,
        inactiveSince: why === 'inactive' ? now - policy.inactive : undefined,
      }),
    },
    now,
  );
  return ended.length;
}
