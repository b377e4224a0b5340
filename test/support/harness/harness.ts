/**
 * What a test of the running system works with: Dormouse's real workers in the test's own process, people in Kratos, pools, a
 * client, and the end of all of it. Tests open it by `openHarness` (open.ts); this file knows nothing of the test runner.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type pg from 'pg';
import { type CaughtMail, readMailbox } from '../../../dev/demo/mailbox.js';
import { OryPeople } from '../../../dev/demo/ory-people.js';
import type { StackInfo } from '../../../dev/stack/index.js';
import { type AuditRow, readAudit } from '../../../src/audit/log-table.js';
import { createEngineDormouse, type EngineDormouse } from '../../../src/client/engine.js';
import type { DirectOptions } from '../../../src/client/types.js';
import { lifecycleWorkflowId } from '../../../src/domain/identity-id.js';
import type { PolicyReference } from '../../../src/domain/policy-reference.js';
import { createPool } from '../../../src/postgres/pool.js';
import { lifecycleWorkflowType } from '../../../src/workflows/messages.js';
import { openKratosDatabase } from '../kratos-database.js';
import { publish } from '../publish.js';
import { startTestWorkers, type TestWorkersOptions } from '../workers.js';
import { type EnrolOptions, type LifecycleHandle, lifecycleInput } from './lifecycles.js';
import type { Time } from './time.js';

export interface HarnessParts<T extends Time = Time> {
  readonly stack: StackInfo;
  /** `DORMOUSE_*` variables of all its workers. */
  readonly environment: Record<string, string>;
  readonly workflowBundlePath: string;
  readonly time: T;
  /** Called when all of the harness is closed. */
  readonly closed?: () => Promise<unknown>;
}

export type WorkerOptions = Partial<
  Omit<TestWorkersOptions, 'connection' | 'environment'> & {
    /** A queue that others may share. Default: one of its own. */
    readonly taskQueue: string;
  }
>;

export class Harness<T extends Time = Time> {
  readonly stack: StackInfo;
  readonly people: OryPeople;
  /** As the owner of Dormouse's tables. */
  readonly pool: pg.Pool;
  /** Kratos' own database: only there can a date of an identity be set. */
  readonly kratosPool: pg.Pool;
  protected readonly time: T;
  protected readonly started = new Set<LifecycleHandle>();
  private readonly closers: (() => Promise<unknown>)[] = [];
  /** As in an installation: not as the owner of the tables. */
  private readonly workerPool: pg.Pool;

  constructor(private readonly parts: HarnessParts<T>) {
    this.time = parts.time;
    this.stack = parts.stack;
    this.people = new OryPeople(parts.stack);
    this.pool = createPool({ url: parts.stack.postgres.url });
    this.workerPool = createPool({ url: parts.stack.postgres.runtimeUrl });
    this.kratosPool = openKratosDatabase(parts.stack);
  }

  get client(): Client {
    return this.time.client;
  }

  get native(): NativeConnection {
    return this.time.native;
  }

  get temporal(): { readonly address: string } {
    return { address: this.time.address };
  }

  /** The variables that each of its workers has. */
  get environment(): Record<string, string> {
    return this.parts.environment;
  }

  /** Epoch milliseconds. */
  now(): Promise<number> {
    return this.time.clock.now();
  }

  /** Starts workers. @returns the name of their queue */
  async startWorkers(environment: Record<string, string> = {}, options: WorkerOptions = {}): Promise<string> {
    const taskQueue = options.taskQueue ?? `test-${randomUUID().slice(0, 8)}`;
    const workers = await startTestWorkers({
      pool: this.workerPool,
      workflowBundlePath: this.parts.workflowBundlePath,
      clock: this.time.clock,
      ...options,
      connection: this.native,
      taskQueue,
      environment: { ...this.environment, ...environment },
    });
    this.onEnd(() => workers.stop());
    return taskQueue;
  }

  /** A client inside the trust boundary, patient: tests are about what happens, not how fast. It is closed by {@link end}. */
  createClient(options: Omit<DirectOptions, 'temporal' | 'postgresUrl'>): EngineDormouse {
    const dormouse = createEngineDormouse({
      temporal: { ...this.stack.temporal, address: this.time.address },
      postgresUrl: this.stack.postgres.url,
      timeoutMs: 30_000,
      requestTimeoutMs: 60_000,
      ...options,
    });
    this.onEnd(() => dormouse.close());
    return dormouse;
  }

  async publish(text: string): Promise<PolicyReference> {
    return publish(this.pool, text, await this.now());
  }

  async enrol(identityId: string, taskQueue: string, options: EnrolOptions = {}): Promise<LifecycleHandle> {
    const { workflowId } = await this.client.workflow.start(lifecycleWorkflowType, {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue,
      args: [lifecycleInput(identityId, options)],
    });
    // The handle of a start follows the first run; messages go to whichever run is the latest.
    const latest = this.client.workflow.getHandle(workflowId) as unknown as LifecycleHandle;
    this.started.add(latest);
    return latest;
  }

  audit(identityId: string): Promise<AuditRow[]> {
    return readAudit(this.pool, identityId);
  }

  mails(): Promise<CaughtMail[]> {
    return readMailbox(this.stack.mail.apiUrl);
  }

  /** The run that messages go to now. */
  async runIdOf(handle: LifecycleHandle): Promise<string> {
    return (await handle.describe()).runId;
  }

  /** Sets when Kratos says that the identity was created and its state last changed. */
  async dateIdentity(identityId: string, at: number): Promise<void> {
    await this.kratosPool.query(
      'UPDATE identities SET created_at = $2, state_changed_at = $2 WHERE id = $1',
      [identityId, new Date(at)],
    );
    await this.pool.query('DELETE FROM kratos_witness WHERE identity_id = $1', [identityId]);
  }

  /** Sets when Kratos says that the identity's sessions were signed in. */
  async dateSessions(identityId: string, at: number): Promise<void> {
    await this.kratosPool.query('UPDATE sessions SET authenticated_at = $2 WHERE identity_id = $1', [
      identityId,
      new Date(at),
    ]);
  }

  /** Ends the lifecycles that were started so far. */
  async forgetLifecycles(): Promise<void> {
    for (const handle of this.started) await handle.terminate('test ended').catch(() => undefined);
    this.started.clear();
  }

  /** Has `close` called by {@link end}: the last first. */
  onEnd(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  async end(): Promise<void> {
    await this.forgetLifecycles();
    for (const close of this.closers.reverse()) await close();
    await this.time.close();
    await Promise.all([this.pool.end(), this.workerPool.end(), this.kratosPool.end()]);
    await this.parts.closed?.();
  }
}
