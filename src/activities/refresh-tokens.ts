/** Activity: ends stale refresh tokens of people who never come, and cleans the registry. May run again at any time. */

import type { OAuth2Api } from '@ory/client';
import { Context, heartbeat, log } from '@temporalio/activity';
import type pg from 'pg';
import type { PassBatch } from '../breaker/batches.js';
import type { Trip } from '../domain/breaker/trip.js';
import { breakerRules } from '../domain/plan.js';
import { refreshSection } from '../domain/tokens/refresh-policy.js';
import { latestPolicies } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import { causeOf } from '../process/cause.js';
import type { Clock } from '../process/clock.js';
import { closeHydraFamilies } from '../tokens/refresh/close-hydra.js';
import { cleanFamilies, endRevokedFamilies, endStaleFamilies } from '../tokens/refresh/sweep.js';

export interface RefreshTokenDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly oauth2: Pick<OAuth2Api, 'revokeOAuth2ConsentSessions'>;
  /** Asks the breaker. */
  readonly pass: PassBatch;
}

/** What one sweep did. */
export interface RefreshSwept {
  /** Families that ended: stale, or revoked with their identity. */
  readonly ended: number;
  /** Stale families that the breaker holds. */
  readonly held: number;
  /** Ends that Hydra took. */
  readonly closed: number;
  /** Clients whose end Hydra did not take: the next sweep tries again. */
  readonly failed: number;
  /** Addresses that were cut. */
  readonly cut: number;
  /** Dead families that were removed. */
  readonly removed: number;
}

const defaultRules = refreshSection.parse({});

export function createRefreshTokenActivities({ pool, clock, oauth2, pass }: RefreshTokenDependencies) {
  return {
    /** Judges each family by the latest version of its published policy. Families under an app's own policy are the app's. */
    async sweepRefreshTokens(): Promise<RefreshSwept> {
      // A worker whose clock is ahead would revoke what is in use.
      const now = Math.floor(await earlierNow(pool, await clock.now()));
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const onFailure = (error: unknown, identityId: string) =>
        log.warn('an end of refresh tokens was not carried out in Hydra', {
          identityId,
          ...causeOf(error),
        });
      const onHeld = ({ id, cause }: Trip, held: number) =>
        log.warn('the breaker holds ends of refresh tokens', { trip: id, cause, held });
      // Their identities' revocation has passed the breaker.
      const revoked = await endRevokedFamilies({ pool, onProgress }, now);
      const swept = { ended: revoked, held: 0, cut: 0, removed: 0 };
      const { policies } = await latestPolicies(pool);
      for (const { policy, reference } of policies) {
        const rules = policy.tokens?.refresh;
        if (rules !== undefined) {
          const judgedBy = { policy: rules, reference };
          const breaker = { pass, rules: breakerRules(policy), onHeld };
          const { ended, held } = await endStaleFamilies({ pool, onProgress }, judgedBy, now, breaker);
          swept.ended += ended;
          swept.held += held;
        }
        // A policy that lost its rules ends nothing more, and its addresses are still cut.
        const judgedBy = { policy: rules ?? defaultRules, reference };
        const { cut, removed } = await cleanFamilies({ pool, onProgress }, judgedBy, now);
        swept.cut += cut;
        swept.removed += removed;
      }
      return { ...swept, ...(await closeHydraFamilies({ pool, oauth2, onProgress, onFailure }, now)) };
    },
  };
}

export type RefreshTokenActivities = ReturnType<typeof createRefreshTokenActivities>;
