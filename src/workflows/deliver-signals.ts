/**
 * Delivers the waiting security events of the outbox to one receiver; a Temporal Schedule starts it. Each
 * delivery is a run of its own: operators see the outcome of each, and pause, resume and trigger it
 * together with all other schedules.
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

/** The next run continues with what exceeds this limit. */
const mostRounds = 20;

export async function deliverSignals({ receiver }: DeliverSignalsInput): Promise<DeliverSignalsResult> {
  const activities = proxyActivities<SecurityEventActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'signals'),
    startToCloseTimeout: '2 hours',
    // A push times out after ten seconds.
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
