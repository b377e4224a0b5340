/** A client in front of real workers on a task queue of their own, and a policy under which nothing happens meanwhile. */

import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { fresh, type Outside, openOutside, publish, slowPolicy } from './system-outside.js';
import { startSystemWorkers } from './system-workers.js';

export interface SystemClient {
  readonly outside: Outside;
  readonly dormouse: DirectDormouse;
  readonly policyId: string;
  close(): Promise<void>;
}

/** @param policy text of the policy under which identities are enrolled, by its id */
export async function openSystemClient(
  name: string,
  policy: (id: string) => string = slowPolicy,
): Promise<SystemClient> {
  const outside = openOutside();
  const taskQueue = fresh(name);
  const stopWorkers = await startSystemWorkers(taskQueue);
  const { id: policyId } = await publish(outside.pool, policy(fresh('slow')));
  const dormouse = createDormouse({
    temporal: outside.stack.temporal,
    postgresUrl: outside.stack.postgres.url,
    taskQueue,
    policyId,
    // Generous: tests are about what happens, not how fast.
    timeoutMs: 30_000,
    requestTimeoutMs: 60_000,
  });
  return {
    outside,
    dormouse,
    policyId,
    async close() {
      await dormouse.close();
      await stopWorkers();
      await outside.close();
    },
  };
}
