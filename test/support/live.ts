/** Dormouse's real workers in the test's process on the stack's real Temporal server: time goes at its own pace here. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type pg from 'pg';
import { OryPeople } from '../../dev/demo/ory-people.js';
import type { StackInfo } from '../../dev/stack/index.js';
import { type AuditRow, readAudit } from '../../src/audit/log-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { createPool } from '../../src/postgres/pool.js';
import type { RunningWorkers } from '../../src/worker/workers.js';
import type { identityLifecycle } from '../../src/workflows/identity-lifecycle.js';
import { type LifecycleInput, lifecycleWorkflowType } from '../../src/workflows/messages.js';
import { publish } from './publish.js';
import { startTestWorkers, type TestWorkersOptions } from './workers.js';

export interface LiveOptions {
  readonly stack: StackInfo;
  readonly environment: Record<string, string>;
  readonly workflowBundlePath: string;
}

export type LifecycleHandle = WorkflowHandleWithSignaledRunId<typeof identityLifecycle>;
export type EnrolOptions = Omit<LifecycleInput, 'schemaVersion' | 'identityId' | 'policy'> & {
  readonly policyId?: string;
};

export class Live {
  readonly people: OryPeople;
  private readonly workers: RunningWorkers[] = [];
  /** As in an installation: not as the owner of the tables. */
  private readonly workerPool: pg.Pool;
  private readonly started: LifecycleHandle[] = [];

  private constructor(
    private readonly options: LiveOptions,
    readonly client: Client,
    private readonly native: NativeConnection,
    readonly pool: pg.Pool,
  ) {
    this.people = new OryPeople(options.stack);
    this.workerPool = createPool({ url: options.stack.postgres.runtimeUrl });
  }

  static async begin(options: LiveOptions): Promise<Live> {
    const { address, namespace } = options.stack.temporal;
    const connection = await Connection.connect({ address });
    const native = await NativeConnection.connect({ address });
    const pool = createPool({ url: options.stack.postgres.url });
    return new Live(options, new Client({ connection, namespace }), native, pool);
  }

  /** Starts workers on a queue of their own. @returns its name */
  async startWorkers(
    environment: Record<string, string> = {},
    more: Pick<TestWorkersOptions, 'wrap' | 'extras'> = {},
  ): Promise<string> {
    const taskQueue = `live-${randomUUID().slice(0, 8)}`;
    this.workers.push(
      await startTestWorkers({
        connection: this.native,
        taskQueue,
        environment: { ...this.options.environment, ...environment },
        pool: this.workerPool,
        workflowBundlePath: this.options.workflowBundlePath,
        ...more,
      }),
    );
    return taskQueue;
  }

  /** Starts workers of one build on a queue that others may share. */
  async startBuild(
    taskQueue: string,
    workflowBundlePath: string,
    build: NonNullable<TestWorkersOptions['build']>,
  ): Promise<void> {
    this.workers.push(
      await startTestWorkers({
        connection: this.native,
        taskQueue,
        environment: this.options.environment,
        pool: this.workerPool,
        workflowBundlePath,
        build,
      }),
    );
  }

  async publish(text: string): Promise<void> {
    await publish(this.pool, text, Date.now());
  }

  async enrol(identityId: string, taskQueue: string, options: EnrolOptions = {}): Promise<LifecycleHandle> {
    const { policyId, ...rest } = options;
    const input: LifecycleInput = {
      schemaVersion: 1,
      identityId,
      policy: { id: policyId ?? 'default' },
      ...rest,
    };
    const handle = (await this.client.workflow.start(lifecycleWorkflowType, {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue,
      args: [input],
    })) as unknown as LifecycleHandle;
    // The handle of a start follows the first run; messages go to whichever run is the latest.
    const latest = this.client.workflow.getHandle(handle.workflowId) as unknown as LifecycleHandle;
    this.started.push(latest);
    return latest;
  }

  audit(identityId: string): Promise<AuditRow[]> {
    return readAudit(this.pool, identityId);
  }

  /** The run that messages go to now. */
  async runIdOf(handle: LifecycleHandle): Promise<string> {
    return (await handle.describe()).runId;
  }

  async end(): Promise<void> {
    for (const handle of this.started) await handle.terminate('test ended').catch(() => undefined);
    for (const workers of this.workers) await workers.stop();
    await this.native.close();
    await this.client.connection.close();
    await this.pool.end();
    await this.workerPool.end();
  }
}
