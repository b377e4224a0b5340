/** Live tokens of one policy that may be over a limit soon, in the order of their ids. Whether they are, their verdict says. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { shortestInactive, shortestLifetime } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { readPerhapsOver, type StoredToken } from './personal-tokens-table.js';

const pageSize = 500;

/**
 * @param then the moment by which they may be over, epoch milliseconds
 * @param from the id after which they begin; absent: with the first
 */
export async function* endingBy(
  pool: pg.Pool,
  policyId: string,
  personal: PersonalTokensPolicy,
  then: number,
  from?: string,
): AsyncGenerator<StoredToken> {
  const inactiveMs = shortestInactive(personal);
  const lifetimeMs = shortestLifetime(personal);
  let after = from;
  for (;;) {
    const page = await readPerhapsOver(pool, {
      ...{ policyId, now: then, limit: pageSize },
      ...given({
        unusedSince: inactiveMs === null ? undefined : then - inactiveMs,
        createdBefore: lifetimeMs === null ? undefined : then - lifetimeMs,
        after,
      }),
    });
    yield* page;
    after = page.at(-1)?.tokenId;
    if (page.length < pageSize) return;
  }
}
