/** The activities as the workflow calls them: queue, timeouts, retries, and the summary in the UI. */
import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { BreakerActivities } from '../activities/breaker.js';
import type { BurialActivities } from '../activities/burial.js';
import type { HydraActivities } from '../activities/hydra.js';
import type { KratosActivities } from '../activities/kratos.js';
import type { KratosDeletionActivities } from '../activities/kratos-deletion.js';
import type { LedgerActivities } from '../activities/ledger.js';
import type { MailActivities } from '../activities/mail.js';
import type { Plan } from '../domain/plan.js';
import { activityQueue, heartbeatTimeoutMs, type OutsideSystem, urgentPriority } from './queues.js';

/** How long a step is retried before it is parked. */
export type RetryLimits = Plan['retry'];

/** In force until the policy has been read for the first time. */
export const retryBeforePolicy: RetryLimits = {
  attempts: 40,
  firstAfterMs: 1_000,
  longestAfterMs: 3_600_000,
};

export interface Outside {
  readonly kratos: KratosActivities & KratosDeletionActivities & BurialActivities;
  readonly hydra: HydraActivities;
  readonly mail: MailActivities;
  readonly ledger: LedgerActivities & BreakerActivities;
  /** The same for a caller who waits for the answer: gives up after about a minute. */
  readonly ask: Pick<LedgerActivities, 'checkPolicy'>;
}

/**
 * The proxies under a policy's retry limits. A running attempt is never abandoned (cancelling waits for its
 * end), so that undoing a step can't overtake the step itself.
 * @param isUrgent whether a person or an operator waits: it goes before everything else in the queues
 */
export function outsideUnder(limits: RetryLimits, isUrgent: boolean): Outside {
  const options = (system: OutsideSystem, startToCloseTimeout: number) => ({
    taskQueue: activityQueue(workflowInfo().taskQueue, system),
    startToCloseTimeout,
    heartbeatTimeout: heartbeatTimeoutMs,
    // guard: a return does not wait behind deadlines
    ...(isUrgent && { priority: { priorityKey: urgentPriority } }),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: limits.firstAfterMs,
      backoffCoefficient: 2,
      maximumInterval: limits.longestAfterMs,
      // guard: retries are bounded, then the step is parked
      maximumAttempts: limits.attempts,
    },
  });
  return {
    kratos: proxyActivities<KratosActivities & KratosDeletionActivities & BurialActivities>(
      options('kratos', 120_000),
    ),
    hydra: proxyActivities<HydraActivities>(options('hydra', 120_000)),
    mail: proxyActivities<MailActivities>(options('mail', 600_000)),
    // The engine's own database: without it not even parking is possible, so this is retried without end.
    ledger: proxyActivities<LedgerActivities & BreakerActivities>({
      ...options('ledger', 60_000),
      retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
    }),
    ask: proxyActivities<Pick<LedgerActivities, 'checkPolicy'>>({
      ...options('ledger', 20_000),
      scheduleToCloseTimeout: 60_000,
      retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumAttempts: 5 },
    }),
  };
}
