/** The Temporal Schedule of the sweep that ends personal access tokens. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../../process/schedule-set.js';
import type { EndPersonalTokensInput } from '../../workflows/schedule-messages.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/personal-tokens/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function personalTokenScheduleIdOf(taskQueue: string): string {
  return `${prefixOf(taskQueue)}end-stale`;
}

/** Creates, updates or deletes the schedule. @param everyMs milliseconds; `undefined`: no sweep */
export async function syncPersonalTokenSchedule(
  client: Client,
  taskQueue: string,
  everyMs: number | undefined,
): Promise<void> {
  const input: EndPersonalTokensInput = { schemaVersion: 1 };
  const sweep = {
    scheduleId: personalTokenScheduleIdOf(taskQueue),
    workflowType: 'endPersonalTokens',
    every: everyMs ?? 0,
    input,
  };
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), everyMs === undefined ? [] : [sweep]);
}
