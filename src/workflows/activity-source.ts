/**
 * Polls one source of activity once; a Temporal Schedule starts it. A run of its own each time, rather than a loop: an
 * operator sees each poll's outcome, and pauses, resumes and triggers it where all schedules are.
 */

import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivitySourceActivities } from '../activities/activity-source.js';
import { given } from '../domain/given.js';
import { activityQueue } from './queues.js';
import type { PollActivitySourceInput } from './schedule-messages.js';

export interface PollActivitySourceResult {
  readonly schemaVersion: 1;
  readonly rows: number;
}

/** @returns when all rows that were there at its beginning are read */
export async function pollActivitySource(input: PollActivitySourceInput): Promise<PollActivitySourceResult> {
  const { taskQueue } = workflowInfo();
  const activities = proxyActivities<ActivitySourceActivities>({
    taskQueue: activityQueue(taskQueue, 'ledger'),
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: '90 seconds',
    // Without end: a table that an operator has to mend is read on when it is mended, from where it was left.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
  });
  const { source, from } = input;
  const polled = await activities.pollActivitySource({
    source,
    taskQueue,
    ...given({ from }),
  });
  const rows = (input.rows ?? 0) + polled.rows;
  if (polled.next === undefined) return { schemaVersion: 1, rows };
  return continueAsNew<typeof pollActivitySource>({ ...input, from: polled.next, rows });
}
