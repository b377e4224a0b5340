/**
 * Handles lifecycles of identities that Kratos does not list: it wakes them, and they look for themselves.
 */
import type { Client } from '@temporalio/client';
import { lifecycleStart } from '../signs/tell-lifecycle.js';
import { lifecycleWorkflowType, lookAgainSignal } from '../workflows/messages.js';

export interface GoneTools {
  readonly client: Client;
  /** The task queue of the workflows. */
  readonly taskQueue: string;
  /** The policy of lifecycles that are started now. */
  readonly policyId: string;
}

/**
 * Wakes the lifecycle of an identity that was missing in a list. A list may be wrong, so only the lifecycle's
 * own looks decide. Where none runs any more it is started again: nothing is buried here.
 */
export async function wakeOfGone(
  { client, taskQueue, policyId }: GoneTools,
  identityId: string,
): Promise<void> {
  await client.workflow.signalWithStart(lifecycleWorkflowType, {
    ...lifecycleStart(taskQueue, { schemaVersion: 1, identityId, policy: { id: policyId } }),
    signal: lookAgainSignal,
    signalArgs: [{ schemaVersion: 1 }],
  });
}
