/**
 * Ends personal access tokens that are over a limit; a Temporal Schedule starts it. Each sweep is a run of its own: operators see what each
 * ended, and pause, resume and trigger it together with all other schedules.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PersonalTokenActivities } from '../activities/personal-tokens.js';
import { activityQueue } from './queues.js';
import type { EndPersonalTokensInput } from './schedule-messages.js';

export interface EndPersonalTokensResult {
  readonly schemaVersion: 1;
  readonly inactive: number;
  readonly expired: number;
  readonly spared: number;
  readonly failed: number;
}

export async function endPersonalTokens(_input: EndPersonalTokensInput): Promise<EndPersonalTokensResult> {
  const activities = proxyActivities<PersonalTokenActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'kratos'),
    startToCloseTimeout: '1 hour',
    // One call to Kratos times out after ten seconds.
    heartbeatTimeout: '1 minute',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  });
  return { schemaVersion: 1, ...(await activities.endPersonalTokens()) };
}
