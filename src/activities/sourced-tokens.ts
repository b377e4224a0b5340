/** Activity: ends tokens in an app's own table that are over a limit. May run again at any time. */
import type { IdentityApi } from '@ory/client';
import { Context, heartbeat, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import type { PassBatch } from '../breaker/batches.js';
import type { Trip } from '../domain/breaker/trip.js';
import { earlierNow } from '../postgres/database-now.js';
import type { Clock } from '../process/clock.js';
import type { ConnectedTokenSource } from '../tokens/sourced/load.js';
import { withSource } from '../tokens/sourced/open.js';
import { TokenSourceError } from '../tokens/sourced/source-error.js';
import { endSourcedTokens, type SweptSource } from '../tokens/sourced/sweep.js';

export interface SourcedTokenDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly sources: readonly ConnectedTokenSource[];
  /** Of sources that name none. */
  readonly policyId: string;
  /** Asks the breaker. */
  readonly pass: PassBatch;
}

export function createSourcedTokenActivities(deps: SourcedTokenDependencies) {
  const { identities, pool, clock, sources, policyId, pass } = deps;
  return {
    /** @throws UnknownTokenSource, TokenSourceWrong (neither is retried), TokenSourceFailed */
    async endSourcedTokens(input: { readonly source: string }): Promise<SweptSource> {
      const connected = sources.find(({ source }) => source.name === input.source);
      if (connected === undefined) throw unknownSource(input.source);
      const now = Math.floor(await earlierNow(pool, await clock.now()));
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const onHeld = ({ id, cause }: Trip, held: number) =>
        log.warn('the breaker holds ends of tokens', { source: input.source, trip: id, cause, held });
      try {
        const open = { identities, pool, policyId, now, onProgress };
        const swept = await withSource(connected, open, (source) =>
          endSourcedTokens({ ...source, pass, onHeld }),
        );
        const { reappeared, stuck, unusable } = swept;
        if (reappeared + stuck + unusable > 0) {
          log.warn('tokens of an app could not be ended, or are there again', {
            ...{ source: input.source, reappeared, stuck, unusable },
          });
        }
        return swept;
      } catch (error) {
        throw failureOf(error);
      }
    },
  };
}

export type SourcedTokenActivities = ReturnType<typeof createSourcedTokenActivities>;

function unknownSource(name: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'UnknownTokenSource',
    message: `this worker knows no source "${name}". Give every worker the same DORMOUSE_TOKEN_SOURCES_FILE`,
    nonRetryable: true,
  });
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof TokenSourceError)) return error;
  const { message, isForOperator: nonRetryable } = error;
  return ApplicationFailure.create({
    ...{ type: nonRetryable ? 'TokenSourceWrong' : 'TokenSourceFailed', message, nonRetryable },
  });
}
