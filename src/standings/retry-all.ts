/** Retries parked steps of many identities, at a rate that the server and the failed system can take. */
import { type Client, WorkflowNotFoundError, WorkflowUpdateStage } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { Pacer } from '../process/pacer.js';
import { retryParkedUpdate } from '../workflows/messages.js';

export interface Retried {
  /** Lifecycles that were asked to retry. One that is no longer parked refuses, which is harmless. */
  readonly told: number;
  /** Identities without a running lifecycle. */
  readonly gone: number;
}

/**
 * Does not wait for the results: a step that fails again is parked again.
 * @param perSecond most retries a second
 */
export async function retryAll(
  client: Client,
  identityIds: readonly string[],
  options: { readonly actor: string; readonly perSecond: number },
): Promise<Retried> {
  let [told, gone] = [0, 0];
  const pacer = new Pacer(options.perSecond);
  for (const identityId of identityIds) {
    await pacer.turn();
    const handle = client.workflow.getHandle(lifecycleWorkflowId(identityId));
    try {
      await handle.startUpdate(retryParkedUpdate, {
        args: [{ schemaVersion: 1, actor: options.actor }],
        waitForStage: WorkflowUpdateStage.ACCEPTED,
      });
      told += 1;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      gone += 1;
    }
  }
  return { told, gone };
}
