/** The floor's worker, with as many slots as Dormouse's, and its burst. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type Burst, burstOf, startAll } from './figures.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const taskQueue = 'floor';

export interface FloorActivities {
  nothing(): Promise<void>;
}

export async function measureFloor(
  client: Client,
  address: string,
  count: number,
  deadline: number,
): Promise<Burst> {
  const doneAt: number[] = [];
  const connection = await NativeConnection.connect({ address });
  const activities: FloorActivities = {
    nothing: async () => {
      doneAt.push(Date.now());
    },
  };
  const worker = await Worker.create({
    ...{ connection, taskQueue, activities },
    workflowsPath: fileURLToPath(new URL('./floor-workflow.ts', import.meta.url)),
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentActivityTaskExecutions: 20,
    maxCachedWorkflows: 500,
  });
  const startedPerSecond = await worker.runUntil(async () => {
    const ids = Array.from({ length: count }, () => `floor/${randomUUID()}`);
    const rate = await startAll(ids, async (workflowId) => {
      await client.workflow.start('floor', { workflowId, taskQueue, args: [deadline] });
    });
    await Promise.all(ids.map((id) => client.workflow.getHandle(id).result()));
    return rate;
  });
  await connection.close();
  return burstOf(doneAt, deadline, startedPerSecond);
}
