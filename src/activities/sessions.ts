/** Activity: ends idle sessions that nobody asks for. May run again at any time. */
import { Context, heartbeat } from '@temporalio/activity';
import type pg from 'pg';
import { latestPolicies } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import type { Clock } from '../process/clock.js';
import type { SessionClosers } from '../sessions/close.js';
import { closeEnded, endOverdue, type Swept } from '../sessions/sweep.js';

export interface SessionDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly closers: SessionClosers;
}

export function createSessionActivities({ pool, clock, closers }: SessionDependencies) {
  return {
    /** Judges each session by the latest version of its published policy. Sessions under an app's own policy are the app's. */
    async endIdleSessions(): Promise<Swept> {
      // A worker whose clock is ahead would end sessions of people who are there.
      const now = await earlierNow(pool, await clock.now());
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const { policies } = await latestPolicies(pool);
      let ended = 0;
      for (const { policy, reference } of policies) {
        if (policy.sessions === undefined) continue;
        ended += await endOverdue({ pool, onProgress }, { policy: policy.sessions, reference }, now);
      }
      return { ended, ...(await closeEnded({ pool, closers, onProgress }, now)) };
    },
  };
}

export type SessionActivities = ReturnType<typeof createSessionActivities>;
