/** Ends personal access tokens that are over a limit, though nobody asks for them. Two sweeps at once are harmless: one ends each token. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { judgeToken } from '../../domain/tokens/personal-verdict.js';
import type { StoredPolicy } from '../../policies/policies-table.js';
import { endingBy } from './ending-soon.js';
import { lapseToken, type StoredToken } from './personal-tokens-table.js';
import { isSpared } from './spared.js';

export interface TokenSweepDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  /** Called between two tokens. */
  readonly onProgress?: () => void;
}

export interface SweptTokens {
  /** Ended because nobody used them. */
  readonly inactive: number;
  /** Ended at their expiry, or at the policy's ceiling. */
  readonly expired: number;
  /** Left alone, because their owners are exempt or on hold. */
  readonly spared: number;
  /** Kratos did not answer for their owners: the next sweep tries again. */
  readonly failed: number;
}

export const nothingSwept: SweptTokens = { inactive: 0, expired: 0, spared: 0, failed: 0 };

/** Kratos is away. What is left waits for the next sweep. */
const failuresInARow = 5;

/**
 * Ends the tokens of one published policy. Judges them as of `writeEvery` ago: an app may have accepted a last use since then that is not
 * written yet. A check refuses at the instant of the limit all the same.
 * @param now epoch milliseconds
 */
export async function endStaleTokens(
  dependencies: TokenSweepDependencies,
  published: StoredPolicy,
  personal: PersonalTokensPolicy,
  now: number,
): Promise<SweptTokens> {
  const { pool, onProgress } = dependencies;
  const judgedAt = now - personal.writeEvery;
  const counts = { ...nothingSwept };
  let inARow = 0;
  for await (const token of endingBy(pool, published.reference.id, personal, judgedAt)) {
    onProgress?.();
    try {
      const outcome = await endIfOver(dependencies, published, personal, token, { judgedAt, now });
      if (outcome !== undefined) counts[outcome] += 1;
      inARow = 0;
    } catch {
      counts.failed += 1;
      inARow += 1;
      if (inARow >= failuresInARow) return counts;
    }
  }
  return counts;
}

async function endIfOver(
  dependencies: TokenSweepDependencies,
  published: StoredPolicy,
  personal: PersonalTokensPolicy,
  token: StoredToken,
  { judgedAt, now }: { readonly judgedAt: number; readonly now: number },
): Promise<'inactive' | 'expired' | 'spared' | undefined> {
  // Whether the owner is deactivated says nothing about the token's own end.
  const owner = token.owner.isSpared === true ? { isSpared: true as const } : {};
  const verdict = judgeToken(token, personalLimits(personal, token), owner, personal, judgedAt);
  if (verdict.state === 'live' || verdict.at === undefined) return undefined;
  const { why, rule, at } = verdict;
  if (why !== 'inactive' && why !== 'expired') return undefined;
  if (why === 'inactive' && (await isSpared(dependencies, published, token.identityId, now))) {
    // It may have expired since all the same.
    const ofSpared = { ...token, owner: { isSpared: true as const } };
    return (await endIfOver(dependencies, published, personal, ofSpared, { judgedAt, now })) ?? 'spared';
  }
  const lapse = { token, why, endedAt: at, policy: published.reference, ...given({ rule }) };
  return (await lapseToken(dependencies.pool, lapse, now)) ? why : undefined;
}
