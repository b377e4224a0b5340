/** The Temporal Schedule of the sweep that ends idle sessions. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../process/schedule-set.js';
import type { EndIdleSessionsInput } from '../workflows/schedule-messages.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/sessions/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function sessionScheduleIdOf(taskQueue: string): string {
  return `${prefixOf(taskQueue)}end-idle`;
}

/** Creates, updates or deletes the schedule. @param everyMs milliseconds; `undefined`: no sweep */
export async function syncSessionSchedule(
  client: Client,
  taskQueue: string,
  everyMs: number | undefined,
): Promise<void> {
  const input: EndIdleSessionsInput = { schemaVersion: 1 };
  const sweep = {
    scheduleId: sessionScheduleIdOf(taskQueue),
    workflowType: 'endIdleSessions',
    every: everyMs ?? 0,
    input,
  };
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), everyMs === undefined ? [] : [sweep]);
}
