/** The activities of a roll-out as the workflow calls them. */
import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { RolloutActivities } from '../activities/rollout.js';
import type { RolloutLedgerActivities } from '../activities/rollout-ledger.js';
import { activityQueue } from './queues.js';

export interface RolloutOutside {
  readonly waking: RolloutActivities;
  readonly ledger: RolloutLedgerActivities;
  /** The same for an operator who waits for the answer: gives up after about a minute. */
  readonly ask: Pick<RolloutLedgerActivities, 'rollBackPolicy'>;
}

export function rolloutOutside(): RolloutOutside {
  const base = workflowInfo().taskQueue;
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;
  const ledgerQueue = activityQueue(base, 'ledger');
  return {
    waking: proxyActivities<RolloutActivities>({
      taskQueue: activityQueue(base, 'kratos'),
      startToCloseTimeout: '10m',
      // Longer than one call to Kratos may take.
      heartbeatTimeout: '20s',
      // A pause is answered when the last signal is out, with how far it came.
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry,
    }),
    ledger: proxyActivities<RolloutLedgerActivities>({
      taskQueue: ledgerQueue,
      startToCloseTimeout: '1m',
      retry,
    }),
    ask: proxyActivities<Pick<RolloutLedgerActivities, 'rollBackPolicy'>>({
      taskQueue: ledgerQueue,
      startToCloseTimeout: '20s',
      scheduleToCloseTimeout: '1m',
      retry: { ...retry, maximumAttempts: 5 },
    }),
  };
}
