/** Dormouse's real workers inside a test's own process, against any Temporal server and with any clock. */
import { readFile } from 'node:fs/promises';
import { type NativeConnection, Runtime } from '@temporalio/worker';
import type pg from 'pg';
import { readConfig } from '../../src/config.js';
import type { Clock } from '../../src/process/clock.js';
import { type ActivityExtras, activityVariables, createActivitySet } from '../../src/worker/activity-set.js';
import { type RunningWorkers, startWorkers, type WorkersOptions } from '../../src/worker/workers.js';
import { publish } from './publish.js';

/** A line of a worker's or workflow's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly meta: Record<string, unknown>;
}

const lines: LogLine[] = [];
let isQuiet = false;

/** Keeps Temporal's log out of the test report. @returns the log so far at WARN and above */
export function quietLog(): readonly LogLine[] {
  if (isQuiet) return lines;
  isQuiet = true;
  const keep = (level: string) => (message: string, meta?: object) => {
    lines.push({ level, message, meta: { ...meta } });
  };
  const drop = () => undefined;
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) =>
        level === 'WARN' || level === 'ERROR' ? keep(level)(message, meta) : undefined,
      trace: drop,
      debug: drop,
      info: drop,
      warn: keep('WARN'),
      error: keep('ERROR'),
    },
  });
  return lines;
}

export interface TestWorkersOptions {
  readonly connection: NativeConnection;
  readonly taskQueue: string;
  /** The stack's `DORMOUSE_*` variables, with what a test wants otherwise laid over them. */
  readonly environment: Record<string, string>;
  readonly pool: pg.Pool;
  readonly workflowBundlePath: string;
  readonly clock?: Clock;
  readonly extras?: ActivityExtras;
  /** Replaces the activities of each system: to watch them, or to break them. */
  readonly wrap?: (activities: object) => object;
  /** More than wake by turns: each wake of one that was pushed out replays its whole history. */
  readonly cachedWorkflows?: number;
  /** Which build they are of, and which changes of course they begin. */
  readonly build?: Pick<WorkersOptions, 'deployment' | 'patchActivation'>;
}

/** Starts all workers of one task queue. */
export async function startTestWorkers(options: TestWorkersOptions): Promise<RunningWorkers> {
  const config = readConfig(activityVariables, options.environment);
  const wrap = options.wrap ?? ((activities) => activities);
  const set = createActivitySet(config, options.pool, options.clock, [], options.extras);
  const workers = await startWorkers({
    connection: options.connection,
    namespace: 'default',
    taskQueue: options.taskQueue,
    workflowBundle: { codePath: options.workflowBundlePath },
    ...options.build,
    ...(options.cachedWorkflows === undefined ? {} : { cachedWorkflows: options.cachedWorkflows }),
    activities: {
      kratos: wrap(set.activities.kratos),
      hydra: wrap(set.activities.hydra),
      mail: wrap(set.activities.mail),
      ledger: wrap(set.activities.ledger),
      signals: wrap(set.activities.signals),
    },
  });
  return {
    ended: workers.ended,
    isPolling: workers.isPolling,
    async stop() {
      await workers.stop();
      set.close();
    },
  };
}

/** Publishes a policy file of the project. */
export async function publishPolicyFile(pool: pg.Pool, file: string): Promise<void> {
  await publish(pool, await readFile(file, 'utf8'));
}
