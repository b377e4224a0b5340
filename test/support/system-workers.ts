/** Real workers in the test's own process, on a task queue of their own. */
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';
import { readConfig } from '../../src/config.js';
import { createPool } from '../../src/postgres/pool.js';
import { activityVariables, createActivitySet } from '../../src/worker/activity-set.js';
import { startWorkers } from '../../src/worker/workers.js';

/** @returns a function that stops them */
export async function startSystemWorkers(taskQueue: string): Promise<() => Promise<void>> {
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
  const { temporal, postgres } = inject('stack');
  const pool = createPool({ url: postgres.runtimeUrl });
  const activitySet = createActivitySet(readConfig(activityVariables, inject('environment')), pool);
  const connection = await NativeConnection.connect({ address: temporal.address });
  const workers = await startWorkers({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundlePath') },
    activities: activitySet.activities,
  });
  return async () => {
    await workers.stop();
    await connection.close();
    activitySet.close();
    await pool.end();
  };
}
