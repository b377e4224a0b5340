/**
 * Entry point of a worker that ends itself by SIGKILL at a chosen call: before it, or when it is done and the server has
 * not heard so. It gets ready, says so, and polls from the moment on that somebody writes a line to it. The plan and what it
 * saw stand in a directory, so that its successor goes on counting.
 */

import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { readConfig } from '../../../src/config.js';
import { createPool } from '../../../src/postgres/pool.js';
import { activityVariables, createActivitySet } from '../../../src/worker/activity-set.js';
import { startWorkers } from '../../../src/worker/workers.js';
import { identityOf } from './call-book.js';
import { readKillPlan, workerSettings } from './kill-plan.js';

const { directory, address, taskQueue, workflowBundlePath } = workerSettings.parse(
  JSON.parse(process.argv[2] ?? '{}'),
);
const quiet = () => undefined;
Runtime.install({
  shutdownSignals: [],
  logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
});
const config = readConfig([...activityVariables]);
const pool = createPool({ url: config.DORMOUSE_POSTGRES_URL, onError: quiet });
const set = createActivitySet(config, pool);
const connection = await NativeConnection.connect({ address });
process.stdout.write('prepared\n');
await once(process.stdin, 'data');
await startWorkers({
  connection,
  namespace: 'default',
  taskQueue,
  workflowBundle: { codePath: workflowBundlePath },
  activities: {
    kratos: mortal(set.activities.kratos),
    hydra: mortal(set.activities.hydra),
    mail: mortal(set.activities.mail),
    ledger: mortal(set.activities.ledger),
    signals: mortal(set.activities.signals),
  },
});
process.stdout.write('polling\n');

type Activity = (input: unknown) => Promise<unknown>;

function mortal(activities: object): object {
  return Object.fromEntries(
    Object.entries(activities).map(([type, run]: [string, Activity]) => [
      type,
      async (input: unknown) => {
        const identityId = identityOf(input) ?? 'nobody';
        const call = `${type}#${ordinal(identityId, type)}`;
        perish(identityId, call, 'before');
        const result = await run(input);
        perish(identityId, call, 'after');
        return result;
      },
    ]),
  );
}

/** Which activity of its type this is in the lifecycle; repeated attempts are the same one. */
function ordinal(identityId: string, type: string): number {
  const { workflowExecution, activityId } = Context.current().info;
  const line = `${type} ${workflowExecution?.runId}/${activityId}`;
  const file = join(directory, `calls-${identityId}`);
  const known = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  if (!known.includes(line)) {
    appendFileSync(file, `${line}\n`);
    known.push(line);
  }
  return known.filter((one) => one.startsWith(`${type} `)).indexOf(line) + 1;
}

function perish(identityId: string, call: string, moment: 'before' | 'after'): void {
  const planned = readKillPlan(directory)[identityId];
  if (planned?.call !== call || planned.moment !== moment) return;
  const marker = join(directory, `killed-${identityId}`);
  if (existsSync(marker)) return;
  writeFileSync(marker, '');
  process.kill(process.pid, 'SIGKILL');
}
