/** A worker under observation: what its readiness rests on, and the figures that it reads of PostgreSQL and Temporal. */
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type pg from 'pg';
import { startDatabaseMetrics } from '../observability/database-metrics.js';
import type { Observed } from '../observability/observe.js';
import { watchPools } from '../observability/pool-metrics.js';
import { databaseIsReady, temporalIsReady } from '../observability/ready-when.js';
import { startTemporalMetrics } from '../observability/temporal-metrics.js';
import { createPool } from '../postgres/pool.js';
import type { Logger } from '../process/logger.js';
import type { Running } from '../process/passes.js';
import type { RunningWorkers } from './workers.js';

export interface ObservedParts {
  readonly observed: Observed;
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly taskQueue: string;
  readonly workers: RunningWorkers;
  /** The pool of the activities. */
  readonly pool: pg.Pool;
  readonly postgresUrl: string;
  readonly log: Logger;
}

/** Begins to read figures, and lets the worker count as ready where its checks pass. */
export function observeWorker(parts: ObservedParts): Running {
  const { observed, connection, client, taskQueue, workers, log } = parts;
  const { registry, checks } = observed;
  // Two connections of its own: a check must not wait behind figures, and neither takes one from the work.
  const pool = createPool({
    url: parts.postgresUrl,
    max: 2,
    connectTimeoutMs: 1_500,
    statementTimeoutMs: 10_000,
    onError: (error) => log.warn({ err: error }, 'idle PostgreSQL connection failed'),
  });
  watchPools(registry, { activities: parts.pool, observation: pool });
  checks.add('database', databaseIsReady(pool));
  checks.add('temporal', temporalIsReady(connection, client.options.namespace));
  checks.add('workers', async () =>
    workers.isPolling() ? undefined : 'a worker does not ask Temporal for tasks',
  );
  checks.begun();
  const database = startDatabaseMetrics({
    registry,
    pool,
    onError: (error) => log.warn({ err: error }, 'figures of the database could not be read'),
  });
  const temporal = startTemporalMetrics({
    registry,
    client,
    taskQueue,
    onError: (error) => log.warn({ err: error }, 'figures of Temporal could not be read'),
  });
  return {
    async stop() {
      await Promise.all([database.stop(), temporal.stop()]);
      await pool.end();
    },
  };
}
