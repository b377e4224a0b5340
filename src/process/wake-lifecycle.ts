/** Wakes a sleeping lifecycle, so that it looks again. */
import { type WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { lookAgainSignal } from '../workflows/messages.js';

/**
 * @returns false where no lifecycle runs: it waits for nothing, and the reconciliation handles it
 * @throws what Temporal answers otherwise
 */
export async function wakeLifecycle(
  workflows: Pick<WorkflowClient, 'getHandle'>,
  identityId: string,
): Promise<boolean> {
  try {
    await workflows.getHandle(lifecycleWorkflowId(identityId)).signal(lookAgainSignal, { schemaVersion: 1 });
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
