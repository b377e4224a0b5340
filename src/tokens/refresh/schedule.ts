/** The Temporal Schedule of the sweep of refresh tokens. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../../process/schedule-set.js';
import type { SweepRefreshTokensInput } from '../../workflows/schedule-messages.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/refresh-tokens/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function refreshScheduleIdOf(taskQueue: string): string {
  return `${prefixOf(taskQueue)}sweep`;
}

/** Creates, updates or deletes the schedule. @param everyMs milliseconds; `undefined`: no sweep */
export async function syncRefreshSchedule(
  client: Client,
  taskQueue: string,
  everyMs: number | undefined,
): Promise<void> {
  const input: SweepRefreshTokensInput = { schemaVersion: 1 };
  const sweep = {
    scheduleId: refreshScheduleIdOf(taskQueue),
    workflowType: 'sweepRefreshTokens',
    every: everyMs ?? 0,
    input,
  };
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), everyMs === undefined ? [] : [sweep]);
}
