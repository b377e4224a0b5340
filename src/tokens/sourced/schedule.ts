/** The Temporal Schedules of the sweeps over apps' own tables of tokens. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../../process/schedule-set.js';
import type { EndSourcedTokensInput } from '../../workflows/schedule-messages.js';
import type { TokenSource } from './source-file.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/token-source/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function tokenSourceScheduleIdOf(taskQueue: string, source: string): string {
  return `${prefixOf(taskQueue)}${source}`;
}

/** Updates the schedules to the sources; see `syncSchedules`. */
export async function syncTokenSourceSchedules(
  client: Client,
  taskQueue: string,
  sources: readonly TokenSource[],
): Promise<void> {
  const wanted = sources.map(({ name, every }) => {
    const input: EndSourcedTokensInput = { schemaVersion: 1, source: name };
    const scheduleId = tokenSourceScheduleIdOf(taskQueue, name);
    return { scheduleId, workflowType: 'endSourcedTokens', every, input };
  });
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), wanted);
}
