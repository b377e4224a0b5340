/** The Temporal Schedules that poll the sources. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../process/schedule-set.js';
import type { PollActivitySourceInput } from '../workflows/schedule-messages.js';
import type { ActivitySource } from './source-file.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/activity-source/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function scheduleIdOf(taskQueue: string, source: string): string {
  return `${prefixOf(taskQueue)}${source}`;
}

/** Updates the schedules to the sources; see `syncSchedules`. */
export async function syncSourceSchedules(
  client: Client,
  taskQueue: string,
  sources: readonly ActivitySource[],
): Promise<void> {
  const wanted = sources.map(({ name, pollEvery }) => {
    const input: PollActivitySourceInput = { schemaVersion: 1, source: name };
    return {
      scheduleId: scheduleIdOf(taskQueue, name),
      workflowType: 'pollActivitySource',
      every: pollEvery,
      input,
    };
  });
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), wanted);
}
