/**
 * Ends personal access tokens that are over a limit, and tells people ahead of it; a Temporal Schedule starts it. Each sweep is a run of its own: operators see what each
 * ended, and pause, resume and trigger it together with all other schedules.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PersonalTokenActivities } from '../activities/personal-tokens.js';
import type { TokenNoticeActivities } from '../activities/token-notices.js';
import { activityQueue } from './queues.js';
import type { EndPersonalTokensInput } from './schedule-messages.js';

export interface EndPersonalTokensResult {
  readonly schemaVersion: 1;
  readonly inactive: number;
  readonly expired: number;
  readonly spared: number;
  readonly held: number;
  readonly failed: number;
  readonly notified: number;
  readonly unsent: number;
}

export async function endPersonalTokens(_input: EndPersonalTokensInput): Promise<EndPersonalTokensResult> {
  const { taskQueue } = workflowInfo();
  const limits = {
    startToCloseTimeout: '1 hour',
    // One token takes a few calls, and each times out after ten seconds.
    heartbeatTimeout: '2 minutes',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  } as const;
  const { endPersonalTokens: end } = proxyActivities<PersonalTokenActivities>({
    ...limits,
    taskQueue: activityQueue(taskQueue, 'kratos'),
  });
  const { sendTokenNotices } = proxyActivities<TokenNoticeActivities>({
    ...limits,
    taskQueue: activityQueue(taskQueue, 'mail'),
  });
  const ended = await end();
  return { schemaVersion: 1, ...ended, ...(await sendTokenNotices()) };
}
