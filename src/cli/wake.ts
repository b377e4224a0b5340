/** Wakes sleeping lifecycles to look again, at a rate that the server takes. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { Pacer } from '../process/pacer.js';
import { lookAgainSignal } from '../workflows/messages.js';

/** Each wake-up is a look at Kratos and an act. This is far below what the dev server and Kratos handle. */
const wakesPerSecond = 20;

/** @returns how many had a running lifecycle */
export async function wake(client: Client, identityIds: readonly string[]): Promise<number> {
  let woken = 0;
  const pacer = new Pacer(wakesPerSecond);
  for (const identityId of identityIds) {
    await pacer.turn();
    const handle = client.workflow.getHandle(lifecycleWorkflowId(identityId));
    try {
      await handle.signal(lookAgainSignal, { schemaVersion: 1 });
      woken += 1;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return woken;
}
