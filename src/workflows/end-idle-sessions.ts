/**
 * Ends sessions that are over a limit though nobody asks for them; a Temporal Schedule starts it. Each sweep is a run of its own:
 * operators see what each ended, and pause, resume and trigger it together with all other schedules.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { SessionActivities } from '../activities/sessions.js';
import { activityQueue } from './queues.js';
import type { EndIdleSessionsInput } from './schedule-messages.js';

export interface EndIdleSessionsResult {
  readonly schemaVersion: 1;
  readonly ended: number;
  readonly closed: number;
  readonly failed: number;
}

export async function endIdleSessions(_input: EndIdleSessionsInput): Promise<EndIdleSessionsResult> {
  const activities = proxyActivities<SessionActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'kratos'),
    startToCloseTimeout: '1 hour',
    // One call to Kratos or Hydra times out after ten seconds.
    heartbeatTimeout: '1 minute',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 5,
    },
  });
  return { schemaVersion: 1, ...(await activities.endIdleSessions()) };
}
