/** Ends personal access tokens that are over a limit, though nobody asks for them. Two sweeps at once are harmless: one ends each token. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { useGrant } from '../../breaker/asking.js';
import type { PassBatch } from '../../breaker/batches.js';
import { endInBatches } from '../../breaker/end-in-batches.js';
import type { Trip } from '../../domain/breaker/trip.js';
import { breakerRules } from '../../domain/plan.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import type { StoredPolicy } from '../../policies/policies-table.js';
import { OutageWatch } from '../../process/outage.js';
import { type DueToken, type Judged, judgeDue } from './due.js';
import { endingBy } from './ending-soon.js';
import { lapseToken, type StoredToken } from './personal-tokens-table.js';

export interface TokenSweepDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly pass: PassBatch;
  /** Called between two tokens. */
  readonly onProgress?: () => void;
  /** The owner of one could not be looked at, or its end not be written. */
  readonly onFailure?: (error: unknown, token: StoredToken) => void;
  /** The breaker holds some. */
  readonly onHeld?: (trip: Trip, held: number) => void;
}

export interface SweptTokens {
  /** Ended because nobody used them. */
  readonly inactive: number;
  /** Ended at their expiry, or at the policy's ceiling. */
  readonly expired: number;
  /** Left alone, because their owners are exempt or on hold. */
  readonly spared: number;
  /** Over a limit, and held by the breaker. */
  readonly held: number;
  /** Kratos did not answer for their owners, or with nothing that can be read: the next sweep tries again. */
  readonly failed: number;
}

export const nothingSwept: SweptTokens = { inactive: 0, expired: 0, spared: 0, held: 0, failed: 0 };

/** What one sweep keeps in memory. The next sweep continues with what exceeds it. */
const dueAtMost = 20_000;

/**
 * Ends the tokens of one published policy. Judges them as of `writeEvery` ago: an app may have accepted a last use since then that is not
 * written yet. A check refuses at the instant of the limit all the same. All that are due are known before the breaker is asked for the
 * first, so that a wrong policy ends none.
 * @param now epoch milliseconds
 */
export async function endStaleTokens(
  dependencies: TokenSweepDependencies,
  published: StoredPolicy,
  personal: PersonalTokensPolicy,
  now: number,
): Promise<SweptTokens> {
  const { pool, pass, onHeld } = dependencies;
  // guard: tokens: the sweep waits for last uses that are not written yet
  const judgedAt = now - personal.writeEvery;
  const counts = { ...nothingSwept };
  const judge = (token: StoredToken) => judgeDue(dependencies, published, personal, token, { judgedAt, now });
  const tolerate = tolerating(dependencies, counts);
  const due: DueToken[] = [];
  for await (const token of endingBy(pool, published.reference.id, personal, judgedAt)) {
    if (due.length >= dueAtMost) break;
    const isAway = await tolerate(token, async () => {
      const judged = await judge(token);
      if (judged === 'spared') counts.spared += 1;
      else if (judged !== undefined) due.push(judged);
    });
    if (isAway) break;
  }
  counts.held = await endInBatches(
    {
      ...{ pool, pass, action: 'endPersonal', rules: breakerRules(published.policy), decidedAt: now },
      ...(onHeld && { onHeld }),
      of: published.reference.id,
      isWhole: counts.failed === 0 && due.length < dueAtMost,
      shown: ({ token, why }) => ({ token: token.tokenId, why }),
      end: async (tokens) => {
        for (const { token } of tokens) {
          const isAway = await tolerate(token, async () => {
            // The batch may have waited: exemptions and holds are read again.
            const judged = await judge(token);
            if (judged === 'spared') counts.spared += 1;
            else if (judged !== undefined && (await end(dependencies, published, judged, now))) {
              counts[judged.why] += 1;
            }
          });
          if (isAway) return false;
        }
        return true;
      },
    },
    due,
  );
  return counts;
}

/** @returns a function that does one step, counts and tells a failure, and answers whether Kratos is away */
function tolerating(
  { onProgress, onFailure }: TokenSweepDependencies,
  counts: { failed: number },
): (token: StoredToken, step: () => Promise<void>) => Promise<boolean> {
  const watch = new OutageWatch();
  return async (token, step) => {
    onProgress?.();
    try {
      await step();
      watch.succeeded();
      return false;
    } catch (error) {
      onFailure?.(error, token);
      counts.failed += 1;
      return watch.failed(error);
    }
  };
}

/** @returns false where the breaker tripped since it let the act pass, or the token ended or was used */
async function end(
  { pool }: TokenSweepDependencies,
  { reference }: StoredPolicy,
  { token, key, identityId, ...verdict }: Exclude<Judged, 'spared' | undefined>,
  now: number,
): Promise<boolean> {
  const use = await useGrant(pool, { key, identityId, action: 'endPersonal' }, now);
  if (use.outcome !== 'used') return false;
  return lapseToken(pool, { token, ...verdict, policy: reference }, now);
}
