/**
 * Delivers to one receiver what waits in the outbox; a Temporal Schedule starts it. A run of its own each time: operators
 * see what came of each, and pause, resume and trigger it where all schedules are.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { SecurityEventActivities } from '../activities/security-events.js';
import { activityQueue } from './queues.js';
import type { DeliverSignalsInput } from './schedule-messages.js';

export interface DeliverSignalsResult {
  readonly schemaVersion: 1;
  readonly delivered: number;
  readonly failed: number;
  readonly parked: number;
}

/** A backlog beyond this is gone on with at the next time. */
const mostRounds = 20;

export async function deliverSignals({ receiver }: DeliverSignalsInput): Promise<DeliverSignalsResult> {
  const activities = proxyActivities<SecurityEventActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'signals'),
    startToCloseTimeout: '2 hours',
    // A push is given up after ten seconds.
    heartbeatTimeout: '30 seconds',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: 10,
    },
  });
  const sum = { delivered: 0, failed: 0, parked: 0 };
  for (let round = 0; round < mostRounds; round += 1) {
    const { delivered, failed, parked, more } = await activities.deliverSignals({ receiver });
    sum.delivered += delivered;
    sum.failed += failed;
    sum.parked += parked;
    if (!more) break;
  }
  return { schemaVersion: 1, ...sum };
}
