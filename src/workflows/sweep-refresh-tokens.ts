/**
 * Ends stale refresh tokens of people who never come, and tells people of the ends; a Temporal Schedule starts it. Each sweep is a run of its
 * own, as that of idle sessions: operators see what each did.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { EndedTokenActivities, EndsTold } from '../activities/ended-token-mails.js';
import type { RefreshSwept, RefreshTokenActivities } from '../activities/refresh-tokens.js';
import { activityQueue } from './queues.js';
import type { SweepRefreshTokensInput } from './schedule-messages.js';

export interface SweepRefreshTokensResult extends RefreshSwept, EndsTold {
  readonly schemaVersion: 1;
}

export async function sweepRefreshTokens(_input: SweepRefreshTokensInput): Promise<SweepRefreshTokensResult> {
  const { taskQueue } = workflowInfo();
  const limits = {
    startToCloseTimeout: '1 hour',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  } as const;
  const { sweepRefreshTokens: sweep } = proxyActivities<RefreshTokenActivities>({
    ...limits,
    taskQueue: activityQueue(taskQueue, 'hydra'),
    // One statement takes half a minute at most, and one call to Hydra ten seconds.
    heartbeatTimeout: '1 minute',
  });
  const { tellOfEndedTokens } = proxyActivities<EndedTokenActivities>({
    ...limits,
    taskQueue: activityQueue(taskQueue, 'mail'),
    // A mail goes to each address of a person.
    heartbeatTimeout: '2 minutes',
  });
  const swept = await sweep();
  return { schemaVersion: 1, ...swept, ...(await tellOfEndedTokens()) };
}
