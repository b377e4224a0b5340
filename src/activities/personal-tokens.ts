/** Activity: ends personal access tokens that nobody uses. May run again at any time. */

import type { IdentityApi } from '@ory/client';
import { Context, heartbeat } from '@temporalio/activity';
import type pg from 'pg';
import { latestPolicies } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import type { Clock } from '../process/clock.js';
import { endStaleTokens, nothingSwept, type SweptTokens } from '../tokens/personal/sweep.js';

export interface PersonalTokenDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

export function createPersonalTokenActivities({ identities, pool, clock }: PersonalTokenDependencies) {
  return {
    /** Judges each token by the latest version of its published policy. Tokens under an app's own policy are the app's. */
    async endPersonalTokens(): Promise<SweptTokens> {
      // A worker whose clock is ahead would end tokens that are in use.
      const now = await earlierNow(pool, await clock.now());
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const counts = { ...nothingSwept };
      for (const published of (await latestPolicies(pool)).policies) {
        const personal = published.policy.tokens?.personal;
        if (personal === undefined) continue;
        const swept = await endStaleTokens({ identities, pool, onProgress }, published, personal, now);
        for (const outcome of ['inactive', 'expired', 'spared', 'failed'] as const) {
          counts[outcome] += swept[outcome];
        }
      }
      return counts;
    },
  };
}

export type PersonalTokenActivities = ReturnType<typeof createPersonalTokenActivities>;
