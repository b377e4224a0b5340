/** The baseline of one signal a request: who sends it, and who works on it. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

export const sinkQueue = 'bench';

export async function startSink(client: Client, id: string, taskQueue: string): Promise<void> {
  await client.workflow.signalWithStart('activitySink', {
    workflowId: `bench/${id}`,
    taskQueue,
    args: [0],
    signal: 'userActivity',
    signalArgs: [{ at: Date.now() }],
  });
}

/** Starts the worker; it runs until its process ends. */
export async function runSink(address: string): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue: sinkQueue,
    workflowsPath: fileURLToPath(new URL('./sink-workflow.ts', import.meta.url)),
  });
  worker.run().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
