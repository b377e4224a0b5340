/** What tests of sweeps of the whole directory share: Dormouse on a database of its own, Kratos behind a proxy that can fail. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import pLimit from 'p-limit';
import { inject } from 'vitest';
import type { OryPeople } from '../../dev/demo/ory-people.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { type LifecycleInput, lifecycleWorkflowType } from '../../src/workflows/messages.js';
import type { reconcile } from '../../src/workflows/reconcile.js';
import {
  type ReconcileInput,
  type ReconcileOptions,
  reconcileWorkflowType,
} from '../../src/workflows/reconcile-messages.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import type { Harness, WorkerOptions } from './harness/harness.js';
import { openHarness } from './harness/open.js';
import { emptyDirectory, forgetWitnesses } from './kratos-database.js';
import { until } from './until.js';
import { publishPolicyFile } from './workers.js';

const limit = pLimit(16);

export const testOptions: ReconcileOptions = {
  policyId: 'default',
  startsPerSecond: 500,
  kratosCallsPerSecond: 200,
  spreadMs: 0,
  pageSize: 25,
  dryRun: false,
  distrustProjection: false,
};

export type ReconcileHandle = WorkflowHandleWithFirstExecutionRunId<typeof reconcile>;

export class Sweeps {
  readonly taskQueue = `reconcile-${randomUUID().slice(0, 8)}`;
  private readonly queues = new Set([this.taskQueue]);

  private constructor(
    readonly harness: Harness,
    /** What the workers take for Kratos. */
    readonly kratos: FaultProxy,
  ) {}

  static async open(): Promise<Sweeps> {
    await emptyDirectory(inject('stack'));
    const kratos = await startFaultProxy(inject('stack').kratos.adminUrl);
    const harness = await openHarness({
      database: 'own',
      environment: { DORMOUSE_KRATOS_ADMIN_URL: kratos.url, DORMOUSE_RECONCILE_EVERY: 'off' },
    });
    await publishPolicyFile(harness.pool, 'policies/default.yaml');
    harness.onEnd(() => kratos.close());
    return new Sweeps(harness, kratos);
  }

  private get people(): OryPeople {
    return this.harness.people;
  }

  private get client(): Client {
    return this.harness.client;
  }

  /** The worker's `DORMOUSE_*` variables. */
  get environment(): Record<string, string> {
    return { ...this.harness.environment, DORMOUSE_TASK_QUEUE: this.taskQueue };
  }

  /** Starts workers in this process. */
  async startWorkers(options: Pick<WorkerOptions, 'taskQueue' | 'clock'> = {}): Promise<void> {
    const taskQueue = options.taskQueue ?? this.taskQueue;
    this.queues.add(taskQueue);
    await this.harness.startWorkers({ DORMOUSE_TASK_QUEUE: this.taskQueue }, { ...options, taskQueue });
  }

  /** Makes people who never signed in, many at once. @returns their IDs */
  async createIdentities(count: number): Promise<string[]> {
    const { data } = await this.people.identities.batchPatchIdentities({
      patchIdentitiesBody: {
        identities: Array.from({ length: count }, () => ({
          create: { schema_id: 'username', traits: { username: randomUUID() } },
        })),
      },
    });
    return (data.identities ?? []).flatMap(({ identity }) => identity ?? []);
  }

  /** Buries identities that are deleted, as their lifecycles would after the grace period. */
  async forget(identityIds: readonly string[]): Promise<void> {
    for (const id of identityIds) {
      await this.client.workflow.getHandle(lifecycleWorkflowId(id)).terminate('test');
      await buryIdentity(this.harness.pool, id, undefined, Date.now());
    }
  }

  /**
   * Takes everybody out of Kratos and out of the projection, so that the sweeps of later tests do not meet hundreds of them. Their
   * lifecycles sleep on; each must have been projected, or it would be found missing later.
   */
  async clear(): Promise<void> {
    await emptyDirectory(this.harness.stack);
    await forgetWitnesses(this.harness.pool);
    await this.harness.pool.query('DELETE FROM standing');
  }

  /** Everybody in Kratos: the tests of a file leave people behind. */
  async countIdentities(): Promise<number> {
    const { headers } = await this.people.identities.listIdentities({ perPage: 1, page: 1 });
    return Number(headers['x-total-count']);
  }

  async enrolAlone(identityIds: readonly string[]): Promise<void> {
    const start = (identityId: string) => {
      const input: LifecycleInput = { schemaVersion: 1, identityId, policy: { id: 'default' } };
      return this.client.workflow.start(lifecycleWorkflowType, {
        workflowId: lifecycleWorkflowId(identityId),
        taskQueue: this.taskQueue,
        args: [input],
      });
    };
    await Promise.all(identityIds.map((identityId) => limit(() => start(identityId))));
  }

  startReconcile(
    options: Partial<ReconcileOptions> = {},
    more: Partial<ReconcileInput> & { taskQueue?: string } = {},
  ): Promise<ReconcileHandle> {
    const { taskQueue, ...rest } = more;
    const input: ReconcileInput = { schemaVersion: 1, options: { ...testOptions, ...options }, ...rest };
    return this.client.workflow.start<typeof reconcile>(reconcileWorkflowType, {
      workflowId: `test-reconcile/${randomUUID()}`,
      taskQueue: taskQueue ?? this.taskQueue,
      args: [input],
    });
  }

  async reconcile(options: Partial<ReconcileOptions> = {}, more: Partial<ReconcileInput> = {}) {
    return (await this.startReconcile(options, more)).result();
  }

  /** How many lifecycles each identity ever had. */
  async lifecycles(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const query = `TaskQueue = '${this.taskQueue}' AND WorkflowType = '${lifecycleWorkflowType}'`;
    for await (const { workflowId } of this.client.workflow.list({ query })) {
      counts.set(workflowId, (counts.get(workflowId) ?? 0) + 1);
    }
    return counts;
  }

  /** Waits until visibility shows one lifecycle for each. @returns those that have another number of them */
  async withoutExactlyOne(identityIds: readonly string[]): Promise<string[]> {
    const counts = await until('a lifecycle for each', async () => {
      const found = await this.lifecycles();
      return identityIds.every((id) => found.has(lifecycleWorkflowId(id))) ? found : undefined;
    });
    return identityIds.filter((id) => counts.get(lifecycleWorkflowId(id)) !== 1);
  }

  standing(identityId: string) {
    return readStanding(this.harness.pool, identityId);
  }

  /** Waits until each has a projection. */
  async projected(identityIds: readonly string[]): Promise<void> {
    await until(
      'the projections',
      async () => {
        const { rows } = await this.harness.pool.query(
          'SELECT 1 FROM standing WHERE identity_id = ANY($1::uuid[])',
          [identityIds],
        );
        return rows.length === identityIds.length;
      },
      { timeoutMs: 90_000 },
    );
  }

  statusOf(identityId: string): Promise<string> {
    const handle = this.client.workflow.getHandle(lifecycleWorkflowId(identityId));
    return handle.describe().then(({ status }) => status.name);
  }

  /** The lists of the directory asked of Kratos so far: their page tokens, in order; the first has none. */
  pagesAsked(since = 0): (string | null)[] {
    return this.kratos.requests.slice(since).flatMap((line) => {
      const url = new URL(line.split(' ')[1] ?? '', 'http://kratos.invalid');
      const isPage =
        url.pathname.endsWith('/identities') &&
        url.searchParams.has('page_size') &&
        !url.searchParams.has('ids');
      return isPage ? [url.searchParams.get('page_token')] : [];
    });
  }

  /** Also the lifecycles that sweeps started. */
  async end(): Promise<void> {
    for (const queue of this.queues) {
      const query = `TaskQueue = '${queue}' AND ExecutionStatus = 'Running'`;
      const ends: Promise<unknown>[] = [];
      for await (const { workflowId } of this.client.workflow.list({ query })) {
        const handle = this.client.workflow.getHandle(workflowId);
        ends.push(limit(() => handle.terminate('test ended').catch(() => undefined)));
      }
      await Promise.all(ends);
    }
    await this.harness.end();
  }
}
