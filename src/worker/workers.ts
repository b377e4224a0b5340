/** The Temporal workers of one process: one for workflows, one for the activities of each outside system. */

import type { Context } from '@temporalio/activity';
import {
  type NativeConnection,
  type PatchActivationCallback,
  Worker,
  type WorkerDeploymentOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { given } from '../domain/given.js';
import type { ActivityMetrics } from '../observability/activity-metrics.js';
import { activityQueue, type OutsideSystem, outsideSystems } from '../workflows/queues.js';
import { pulse } from './pulse.js';
import { refusedRecords } from './refused-records.js';
import { stepFailures } from './step-failures.js';
import { urgent } from './urgent.js';
import { defaultLimits, type workerLimits } from './worker-limits.js';

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  readonly activities: Record<OutsideSystem, object>;
  /** How much is done at once, and in a second. Default: as where nothing is configured. */
  readonly limits?: ReturnType<typeof workerLimits>;
  /**
   * Workflows kept in memory between two tasks. Default 500: sleepers gain nothing from the cache, and 2,300
   * cached took 0.9 GB (measured; docs/architecture.md).
   */
  readonly cachedWorkflows?: number;
  /**
   * The build of these workers within the deployment; absent: unversioned, so
   * that any build may get any task.
   */
  readonly deployment?: WorkerDeploymentOptions;
  /** Which changes of course are started; absent: all. */
  readonly patchActivation?: PatchActivationCallback;
  /** Counts what activities did; absent: nobody counts. */
  readonly metrics?: ActivityMetrics;
}

export interface RunningWorkers {
  /** Settles when all have ended; rejects when one fails. */
  readonly ended: Promise<void>;
  /** Whether every worker of the process asks Temporal for tasks. */
  isPolling(): boolean;
  /** Lets running attempts end, then stops. */
  stop(): Promise<void>;
}

/** Starts the workers. They poll when this resolves. */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorkers> {
  const { connection, namespace, taskQueue, deployment, patchActivation, metrics } = options;
  const versioned = deployment === undefined ? {} : { workerDeploymentOptions: deployment };
  const workers = [
    await Worker.create({
      connection,
      namespace,
      taskQueue,
      workflowBundle: options.workflowBundle,
      maxCachedWorkflows: options.cachedWorkflows ?? 500,
      maxConcurrentWorkflowTaskExecutions: 40,
      shutdownGraceTime: '20s',
      ...versioned,
      ...given({ patchActivationCallback: patchActivation }),
    }),
  ];
  const limits = options.limits ?? defaultLimits;
  for (const system of outsideSystems) {
    workers.push(
      await Worker.create({
        connection,
        namespace,
        taskQueue: activityQueue(taskQueue, system),
        activities: options.activities[system],
        maxConcurrentActivityTaskExecutions: limits[system].atOnce,
        ...given({ maxTaskQueueActivitiesPerSecond: limits[system].perSecond }),
        // A sweep's progress must be stored within a moment: after a kill, the
        // next worker continues from there.
        maxHeartbeatThrottleInterval: '1s',
        shutdownGraceTime: '20s',
        ...versioned,
        interceptors: {
          activity: [
            (context) => ({ inbound: urgent(context) }),
            (context) => ({ inbound: pulse(context) }),
            () => ({ inbound: stepFailures }),
            () => ({ inbound: refusedRecords }),
            ...(metrics === undefined
              ? []
              : [(context: Context) => ({ inbound: metrics.intercept(context) })]),
          ],
        },
      }),
    );
  }
  const running = workers.map((worker) => worker.run());
  const ended = Promise.all(running).then(() => undefined);
  // A failure is reported where `ended` is awaited. It must not end the process before.
  ended.catch(() => undefined);
  return {
    ended,
    isPolling: () =>
      workers.every((worker) => {
        const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
        return runState === 'RUNNING' && [workflowPollerState, activityPollerState].includes('POLLING');
      }),
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(running);
    },
  };
}
