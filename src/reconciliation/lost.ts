/**
 * Finds lifecycles that the projection knows but that no longer run: terminated,
 * cancelled, or lost with Temporal's data.
 */
import type { Client } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import type { Pacer } from '../process/pacer.js';

export interface LostTools {
  readonly client: Client;
  readonly temporalPacer: Pacer;
}

/** Workflow IDs per query: about 3 kB of it. */
const idsPerQuery = 50;

/**
 * Asks Temporal which of the lifecycles run. Its list lags behind by a moment: a lifecycle started a second
 * ago may seem lost. Starting it again then finds it running.
 */
export async function lostAmong(
  { client, temporalPacer }: LostTools,
  identityIds: readonly string[],
): Promise<string[]> {
  const lost: string[] = [];
  for (let from = 0; from < identityIds.length; from += idsPerQuery) {
    const some = identityIds.slice(from, from + idsPerQuery);
    const names = some.map((id) => `'${lifecycleWorkflowId(id)}'`).join(', ');
    const query = `WorkflowId IN (${names}) AND ExecutionStatus = 'Running'`;
    await temporalPacer.turn();
    const { count } = await client.workflow.count(query);
    if (count >= some.length) continue;
    const running = new Set<string>();
    for await (const { workflowId } of client.workflow.list({ query })) running.add(workflowId);
    lost.push(...some.filter((id) => !running.has(lifecycleWorkflowId(id))));
  }
  return lost;
}
