/**
 * Polls one source of signs of life once; a Temporal Schedule starts it. Each poll is a run of its own
 * rather than part of a loop: operators see the outcome of each poll, and pause, resume and trigger it
 * together with all other schedules.
 */

import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { SourceActivities } from '../activities/sources.js';
import { given } from '../domain/given.js';
import { activityQueue } from './queues.js';
import type { PollActivitySourceInput } from './schedule-messages.js';

export interface PollActivitySourceResult {
  readonly schemaVersion: 1;
  readonly rows: number;
}

/** @returns after all rows present at its beginning were read */
export async function pollActivitySource(input: PollActivitySourceInput): Promise<PollActivitySourceResult> {
  const { taskQueue } = workflowInfo();
  const activities = proxyActivities<SourceActivities>({
    taskQueue: activityQueue(taskQueue, 'ledger'),
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: '90 seconds',
    // Retries without end: after an operator has repaired the table, reading continues from where it stopped.
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
