/**
 * Ends stale refresh tokens of people who never come; a Temporal Schedule starts it. Each sweep is a run of its own, as that of idle
 * sessions: operators see what each did.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { RefreshSwept, RefreshTokenActivities } from '../activities/refresh-tokens.js';
import { activityQueue } from './queues.js';
import type { SweepRefreshTokensInput } from './schedule-messages.js';

export interface SweepRefreshTokensResult extends RefreshSwept {
  readonly schemaVersion: 1;
}

export async function sweepRefreshTokens(_input: SweepRefreshTokensInput): Promise<SweepRefreshTokensResult> {
  const activities = proxyActivities<RefreshTokenActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'hydra'),
    startToCloseTimeout: '1 hour',
    // One statement takes half a minute at most, and one call to Hydra ten seconds.
    heartbeatTimeout: '1 minute',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  });
  return { schemaVersion: 1, ...(await activities.sweepRefreshTokens()) };
}
