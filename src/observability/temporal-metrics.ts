/**
 * Figures that Temporal has: the backlog of each task queue, and when each schedule's last run ended well. Asked at an interval, never by a
 * scrape.
 */
import type { Client } from '@temporalio/client';
import { Gauge, type Registry } from 'prom-client';
import { type Running, startPasses } from '../process/passes.js';
import { activityQueue, outsideSystems } from '../workflows/queues.js';

/** `temporal.api.enums.v1.TaskQueueType` */
const queueTypes = { workflow: 1, activity: 2 } as const;

export interface TemporalMetricsOptions {
  readonly registry: Registry;
  readonly client: Client;
  /** The task queue of the workflows. */
  readonly taskQueue: string;
  /** Milliseconds. Default: half a minute. */
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

export function startTemporalMetrics(options: TemporalMetricsOptions): Running {
  const { everyMs = 30_000, onError } = options;
  const read = temporalGauges(options);
  return startPasses<undefined>({
    everyMs,
    onPass: () => undefined,
    onError,
    async pass() {
      await read();
      return undefined;
    },
  });
}

/** @returns a function that asks Temporal once */
export function temporalGauges({
  registry,
  client,
  taskQueue,
}: Omit<TemporalMetricsOptions, 'everyMs' | 'onError'>): () => Promise<void> {
  const backlog = new Gauge({
    name: 'dormouse_task_queue_backlog',
    help: 'Tasks that wait for a worker, about, as Temporal counts them.',
    labelNames: ['queue', 'type'],
    registers: [registry],
  });
  const backlogAge = new Gauge({
    name: 'dormouse_task_queue_backlog_age_seconds',
    help: 'For how long the oldest task has been waiting for a worker.',
    labelNames: ['queue', 'type'],
    registers: [registry],
  });
  const finished = new Gauge({
    name: 'dormouse_schedule_last_success_timestamp_seconds',
    help: 'When the last run of a schedule ended well. 0: none is known.',
    labelNames: ['schedule'],
    registers: [registry],
  });
  const queues = [
    { queue: 'workflows', name: taskQueue, type: 'workflow' },
    ...outsideSystems.map(
      (system) => ({ queue: system, name: activityQueue(taskQueue, system), type: 'activity' }) as const,
    ),
  ] as const;
  return async () => {
    for (const { queue, name, type } of queues) {
      const { stats } = await client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name },
        taskQueueType: queueTypes[type],
        reportStats: true,
      });
      backlog.set({ queue, type }, Number(stats?.approximateBacklogCount ?? 0));
      const age = stats?.approximateBacklogAge;
      backlogAge.set({ queue, type }, Number(age?.seconds ?? 0) + (age?.nanos ?? 0) / 1e9);
    }
    finished.reset();
    for (const id of await listScheduleIds(client, taskQueue)) {
      finished.set({ schedule: shortName(id, taskQueue) }, ((await lastSuccess(client, id)) ?? 0) / 1_000);
    }
  };
}

/** @returns the schedules of this installation: its own task queue is part of each id */
async function listScheduleIds(client: Client, taskQueue: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    if (shortName(scheduleId, taskQueue) !== scheduleId) ids.push(scheduleId);
  }
  return ids.sort();
}

/** @returns epoch milliseconds; Temporal lists the latest end first */
async function lastSuccess(client: Client, scheduleId: string): Promise<number | undefined> {
  const query = `TemporalScheduledById = '${scheduleId.replaceAll("'", "''")}' AND ExecutionStatus = 'Completed'`;
  for await (const { closeTime } of client.workflow.list({ query, pageSize: 1 })) return closeTime?.getTime();
  return undefined;
}

/** `acorn/sessions/end-idle` of the task queue `acorn`: `sessions/end-idle`; `reconcile/acorn`: `reconcile`. */
function shortName(scheduleId: string, taskQueue: string): string {
  if (scheduleId.startsWith(`${taskQueue}/`)) return scheduleId.slice(taskQueue.length + 1);
  return scheduleId.endsWith(`/${taskQueue}`) ? scheduleId.slice(0, -taskQueue.length - 1) : scheduleId;
}
