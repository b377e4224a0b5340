/** Wakes sleeping lifecycles to look again, at a rate that the server takes. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { lookAgainSignal } from '../workflows/messages.js';

/** A wake-up is a look at Kratos and an act: far below what the dev server and Kratos take. */
const wakesPerSecond = 20;

/** @returns how many were there to be woken */
export async function wake(client: Client, identityIds: readonly string[]): Promise<number> {
  let woken = 0;
  for (const identityId of identityIds) {
    const handle = client.workflow.getHandle(lifecycleWorkflowId(identityId));
    try {
      await handle.signal(lookAgainSignal, { schemaVersion: 1 });
      woken += 1;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
    await pause(1_000 / wakesPerSecond);
  }
  return woken;
}
