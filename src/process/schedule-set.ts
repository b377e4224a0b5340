/** A set of Temporal Schedules listed in a file: created, updated and deleted to match it. */

import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import { given } from '../domain/given.js';

export interface PeriodicWorkflow {
  readonly scheduleId: string;
  readonly workflowType: string;
  /** Milliseconds. */
  readonly every: number;
  readonly input: object;
}

/**
 * Updates the schedules whose IDs begin with `prefix` to match `wanted`. Safe to call from many workers at
 * once. A schedule that an operator paused stays paused.
 */
export async function syncSchedules(
  client: Client,
  taskQueue: string,
  prefix: string,
  wanted: readonly PeriodicWorkflow[],
): Promise<void> {
  for (const one of wanted) await putSchedule(client, optionsFor(taskQueue, one));
  const kept = new Set(wanted.map(({ scheduleId }) => scheduleId));
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(prefix) && !kept.has(scheduleId)) {
      await removed(client.schedule.getHandle(scheduleId).delete());
    }
  }
}

async function putSchedule(client: Client, options: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule
      .getHandle(options.scheduleId)
      .update(({ state }) => ({ spec, action, state, ...given({ policies }) }));
  }
}

function optionsFor(
  taskQueue: string,
  { scheduleId, workflowType, every, input }: PeriodicWorkflow,
): ScheduleOptions {
  return {
    scheduleId,
    spec: { intervals: [{ every }] },
    // Each run handles everything that is pending, so missed runs need no catching up.
    policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
    action: { type: 'startWorkflow', workflowType, taskQueue, workflowId: scheduleId, args: [input] },
  };
}

/** Temporal's list lags behind: another worker may have just deleted it. */
async function removed(removing: Promise<void>): Promise<void> {
  try {
    await removing;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
