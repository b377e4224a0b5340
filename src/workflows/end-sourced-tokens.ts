/** Ends tokens in an app's own table that are over a limit; a Temporal Schedule starts it. Each sweep is a run of its own. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { SourcedTokenActivities } from '../activities/sourced-tokens.js';
import type { SweptSource } from '../tokens/sourced/sweep.js';
import { activityQueue } from './queues.js';
import type { EndSourcedTokensInput } from './schedule-messages.js';

export interface EndSourcedTokensResult extends SweptSource {
  readonly schemaVersion: 1;
}

export async function endSourcedTokens({ source }: EndSourcedTokensInput): Promise<EndSourcedTokensResult> {
  const activities = proxyActivities<SourcedTokenActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'kratos'),
    startToCloseTimeout: '1 hour',
    // A statement of the app takes 45 seconds at most, and a revocation a few of them.
    heartbeatTimeout: '5 minutes',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  });
  return { schemaVersion: 1, ...(await activities.endSourcedTokens({ source })) };
}
