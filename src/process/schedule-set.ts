/** Temporal Schedules that are created, updated and deleted to match a file or a setting. */
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import { given } from '../domain/given.js';

interface PeriodicWorkflow {
  readonly scheduleId: string;
  readonly workflowType: string;
  /** Milliseconds. */
  readonly every: number;
  readonly input: object;
}

/** Schedules of one type of workflow, one for each `Entry` of a file. */
export interface ScheduleSet<Entry> {
  /** The schedule's id. Two installations in one namespace differ by their task queue. */
  readonly idOf: (taskQueue: string, name: string) => string;
  /** Creates, updates and deletes schedules to match the entries. */
  readonly sync: (client: Client, taskQueue: string, entries: readonly Entry[]) => Promise<void>;
}

/** @param of.folder stands between the task queue and the entry's name in a schedule's id */
export function scheduleSet<Entry extends { readonly name: string }, Input extends object>(of: {
  readonly folder: string;
  readonly workflowType: string;
  /** Milliseconds between two runs. */
  readonly every: (entry: Entry) => number;
  readonly input: (entry: Entry) => Input;
}): ScheduleSet<Entry> {
  const idOf = (taskQueue: string, name: string) => `${taskQueue}/${of.folder}/${name}`;
  return {
    idOf,
    sync: (client, taskQueue, entries) =>
      syncSchedules(
        client,
        taskQueue,
        idOf(taskQueue, ''),
        entries.map((entry) => ({
          scheduleId: idOf(taskQueue, entry.name),
          workflowType: of.workflowType,
          every: of.every(entry),
          input: of.input(entry),
        })),
      ),
  };
}

/** The one schedule of a sweep. */
export interface SweepSchedule {
  readonly idOf: (taskQueue: string) => string;
  /** Creates, updates or deletes the schedule. @param everyMs milliseconds; `undefined`: no sweep */
  readonly sync: (client: Client, taskQueue: string, everyMs: number | undefined) => Promise<void>;
}

export function sweepSchedule<Input extends object>(of: {
  readonly folder: string;
  readonly name: string;
  readonly workflowType: string;
  readonly input: Input;
}): SweepSchedule {
  const { idOf, sync } = scheduleSet<{ name: string; everyMs: number }, Input>({
    folder: of.folder,
    workflowType: of.workflowType,
    every: ({ everyMs }) => everyMs,
    input: () => of.input,
  });
  return {
    idOf: (taskQueue) => idOf(taskQueue, of.name),
    sync: (client, taskQueue, everyMs) =>
      sync(client, taskQueue, everyMs === undefined ? [] : [{ name: of.name, everyMs }]),
  };
}

/**
 * Updates the schedules whose IDs begin with `prefix` to match `wanted`. Safe to call from many workers at
 * once. A schedule that an operator paused stays paused.
 */
async function syncSchedules(
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
