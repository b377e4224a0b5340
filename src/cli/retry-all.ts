/** Retries parked steps of many identities, at a rate that the server and what failed take. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateStage,
} from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { retryParkedUpdate } from '../workflows/messages.js';

export interface Retried {
  readonly retried: number;
  /** No longer parked, or no longer there. */
  readonly settled: number;
}

/**
 * Does not wait for what comes of it: a step that fails again is parked again.
 * @param perSecond at most so many a second
 */
export async function retryAll(
  client: Client,
  identityIds: readonly string[],
  options: { readonly actor: string; readonly perSecond: number },
): Promise<Retried> {
  let [retried, settled] = [0, 0];
  for (const identityId of identityIds) {
    const handle = client.workflow.getHandle(lifecycleWorkflowId(identityId));
    try {
      await handle.startUpdate(retryParkedUpdate, {
        args: [{ schemaVersion: 1, actor: options.actor }],
        waitForStage: WorkflowUpdateStage.ACCEPTED,
      });
      retried += 1;
    } catch (error) {
      const isOver = error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError;
      if (!isOver) throw error;
      settled += 1;
    }
    await pause(1_000 / options.perSecond);
  }
  return { retried, settled };
}
