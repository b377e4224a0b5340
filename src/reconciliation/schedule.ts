/** The Temporal Schedule that reconciles with Kratos. Every worker ensures it at its start. */
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Config } from '../config.js';
import { parseDuration } from '../domain/duration.js';
import {
  type ReconcileInput,
  type ReconcileOptions,
  reconcileScheduleId,
  reconcileWorkflowType,
} from '../workflows/reconcile-messages.js';

export const reconcileVariables = [
  'DORMOUSE_TASK_QUEUE',
  'DORMOUSE_POLICY_ID',
  'DORMOUSE_RECONCILE_EVERY',
  'DORMOUSE_RECONCILE_RATE',
  'DORMOUSE_RECONCILE_KRATOS_RATE',
] as const;
export type ReconcileConfig = Pick<Config, (typeof reconcileVariables)[number]>;

/** Identities per list: Kratos' own default. */
export const defaultPageSize = 250;
/** Spreads the first looks of a forgotten backlog, so that they don't come at once. */
const defaultSpreadMs = 3_600_000;
const defaultEveryMs = 3_600_000;
/** Distinguishes the engine's own pause from an operator's. */
const pauseNote = 'DORMOUSE_RECONCILE_EVERY is off';

export function defaultReconcileOptions(
  config: Omit<ReconcileConfig, 'DORMOUSE_RECONCILE_EVERY'>,
): ReconcileOptions {
  return {
    policyId: config.DORMOUSE_POLICY_ID,
    startsPerSecond: config.DORMOUSE_RECONCILE_RATE,
    kratosCallsPerSecond: config.DORMOUSE_RECONCILE_KRATOS_RATE,
    spreadMs: defaultSpreadMs,
    pageSize: defaultPageSize,
    dryRun: false,
    distrustProjection: false,
  };
}

/**
 * Creates the schedule, or updates it to the configuration. Safe to call from many workers at once. A
 * schedule that an operator paused stays paused. `off` pauses it, and creates none.
 */
export async function ensureReconcileSchedule(client: Client, config: ReconcileConfig): Promise<void> {
  const handle = client.schedule.getHandle(reconcileScheduleId(config.DORMOUSE_TASK_QUEUE));
  if (config.DORMOUSE_RECONCILE_EVERY === 'off') {
    try {
      const { state } = await handle.describe();
      if (!state.paused) await handle.pause(pauseNote);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
    return;
  }
  const { scheduleId, spec, action, policies } = scheduleOptions(config);
  try {
    await client.schedule.create({ scheduleId, spec, action, ...(policies && { policies }) });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update(({ state }) => ({
      spec,
      action,
      ...(policies && { policies }),
      state: state.paused && state.note === pauseNote ? { ...state, paused: false, note: '' } : state,
    }));
  }
}

type ReconcileSchedule = Pick<
  ScheduleOptions<{
    type: 'startWorkflow';
    workflowType: string;
    taskQueue: string;
    args: [ReconcileInput];
    workflowId: string;
  }>,
  'scheduleId' | 'spec' | 'action' | 'policies'
>;

function scheduleOptions(config: ReconcileConfig): ReconcileSchedule {
  const every = parseDuration(config.DORMOUSE_RECONCILE_EVERY) ?? defaultEveryMs;
  const taskQueue = config.DORMOUSE_TASK_QUEUE;
  const scheduleId = reconcileScheduleId(taskQueue);
  return {
    scheduleId,
    // The jitter keeps many installations, and other hourly jobs, from asking Kratos in the same second.
    spec: { intervals: [{ every }], jitter: Math.floor(every / 10) },
    action: {
      type: 'startWorkflow',
      workflowType: reconcileWorkflowType,
      // Temporal appends the time of each run.
      workflowId: scheduleId,
      taskQueue,
      args: [{ schemaVersion: 1, options: defaultReconcileOptions(config) }],
    },
    // A sweep that takes longer than the interval is not overtaken. The next run makes up for a missed one.
    policies: { overlap: 'SKIP', catchupWindow: '1m' },
  };
}
