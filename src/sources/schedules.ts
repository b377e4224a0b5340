/** The Temporal Schedules that poll the sources: made, changed and removed as the file says. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import type { PollActivitySourceInput, pollActivitySource } from '../workflows/activity-source.js';
import type { ActivitySource } from './source-file.js';

type PollAction = {
  type: 'startWorkflow';
  workflowType: typeof pollActivitySource;
  taskQueue: string;
  workflowId: string;
  args: [PollActivitySourceInput];
};

const prefixOf = (taskQueue: string): string => `${taskQueue}/activity-source/`;

/** The schedule's id; two installations in one namespace differ by their task queue. */
export function scheduleIdOf(taskQueue: string, source: string): string {
  return `${prefixOf(taskQueue)}${source}`;
}

/**
 * Brings the schedules in line with the sources. Safe to call from many workers at once. A schedule that an operator
 * paused stays paused.
 */
export async function syncSourceSchedules(
  client: Client,
  taskQueue: string,
  sources: readonly ActivitySource[],
): Promise<void> {
  for (const source of sources) await putSchedule(client, taskQueue, source);
  const wanted = new Set(sources.map(({ name }) => scheduleIdOf(taskQueue, name)));
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(prefixOf(taskQueue)) && !wanted.has(scheduleId)) {
      await client.schedule.getHandle(scheduleId).delete();
    }
  }
}

async function putSchedule(client: Client, taskQueue: string, source: ActivitySource): Promise<void> {
  const options = optionsFor(taskQueue, source);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule
      .getHandle(options.scheduleId)
      .update(({ state }) => ({ spec, action, state, ...(policies === undefined ? {} : { policies }) }));
  }
}

function optionsFor(taskQueue: string, source: ActivitySource): ScheduleOptions<PollAction> {
  const scheduleId = scheduleIdOf(taskQueue, source.name);
  return {
    scheduleId,
    spec: { intervals: [{ every: source.pollEvery }] },
    // A poll reads all that is there: the ones that were missed need no making up.
    policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
    action: {
      type: 'startWorkflow',
      workflowType: 'pollActivitySource' as unknown as typeof pollActivitySource,
      taskQueue,
      workflowId: scheduleId,
      args: [{ schemaVersion: 1, source: source.name }],
    },
  };
}
