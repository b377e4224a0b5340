/** Wakes sleeping lifecycles to look again, at a rate that the server takes. */
import type { Client } from '@temporalio/client';
import { Pacer } from '../process/pacer.js';
import { wakeLifecycle } from '../process/wake-lifecycle.js';

/** Each wake-up is a look at Kratos and an act. This is far below what the dev server and Kratos handle. */
const wakesPerSecond = 20;

/** @returns how many had a running lifecycle */
export async function wake(client: Client, identityIds: readonly string[]): Promise<number> {
  let woken = 0;
  const pacer = new Pacer(wakesPerSecond);
  for (const identityId of identityIds) {
    await pacer.turn();
    if (await wakeLifecycle(client.workflow, identityId)) woken += 1;
  }
  return woken;
}
