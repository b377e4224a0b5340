/** Activity: ends personal access tokens that nobody uses. May run again at any time. */

import type { IdentityApi } from '@ory/client';
import { Context, heartbeat, log } from '@temporalio/activity';
import type pg from 'pg';
import type { PassBatch } from '../breaker/batches.js';
import type { Trip } from '../domain/breaker/trip.js';
import { latestPolicies } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import { causeOf } from '../process/cause.js';
import type { Clock } from '../process/clock.js';
import type { StoredToken } from '../tokens/personal/personal-tokens-table.js';
import { endStaleTokens, nothingSwept, type SweptTokens } from '../tokens/personal/sweep.js';

export interface PersonalTokenDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Asks the breaker. */
  readonly pass: PassBatch;
}

export function createPersonalTokenActivities({ identities, pool, clock, pass }: PersonalTokenDependencies) {
  return {
    /** Judges each token by the latest version of its published policy. Tokens under an app's own policy are the app's. */
    async endPersonalTokens(): Promise<SweptTokens> {
      // A worker whose clock is ahead would end tokens that are in use.
      const now = await earlierNow(pool, await clock.now());
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const dependencies = {
        ...{ identities, pool, pass, onProgress },
        onFailure: (error: unknown, { tokenId, identityId }: StoredToken) =>
          log.warn('a personal access token was not ended', { tokenId, identityId, ...causeOf(error) }),
        onHeld: ({ id, cause }: Trip, held: number) =>
          log.warn('the breaker holds ends of personal access tokens', { trip: id, cause, held }),
      };
      const counts = { ...nothingSwept };
      for (const published of (await latestPolicies(pool)).policies) {
        const personal = published.policy.tokens?.personal;
        if (personal === undefined) continue;
        const swept = await endStaleTokens(dependencies, published, personal, now);
        for (const outcome of ['inactive', 'expired', 'spared', 'held', 'failed'] as const) {
          counts[outcome] += swept[outcome];
        }
      }
      return counts;
    },
  };
}

export type PersonalTokenActivities = ReturnType<typeof createPersonalTokenActivities>;
