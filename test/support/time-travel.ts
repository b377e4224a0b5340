/**
 * Years in seconds: Temporal's time-skipping server, Dormouse's real workers and activities on the real stack, and a
 * clock that reads the skipping server's time. Time stands still for the test (it goes at its real pace) but for
 * {@link TimeTravel.travelTo}, and it is global: one journey at a time. The server skips only while no task is under
 * way, so no activity sees time jump.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type pg from 'pg';
import { type CaughtMail, readMailbox } from '../../dev/demo/mailbox.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import type { StackInfo } from '../../dev/stack/index.js';
import { type AuditRow, readAudit } from '../../src/audit/log-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { searchAttributes } from '../../src/domain/search-attributes.js';
import type { LatestSigns } from '../../src/domain/sign-of-life.js';
import { createPool } from '../../src/postgres/pool.js';
import type { ActivityExtras } from '../../src/worker/activity-set.js';
import type { RunningWorkers } from '../../src/worker/workers.js';
import type { identityLifecycle } from '../../src/workflows/identity-lifecycle.js';
import { type LifecycleInput, lifecycleWorkflowType } from '../../src/workflows/messages.js';
import { clearBreaker } from './clear-breaker.js';
import { forgetWitnesses, openKratosDatabase } from './kratos-database.js';
import { publish } from './publish.js';
import { until } from './until.js';
import { quietLog, startTestWorkers, type TestWorkersOptions } from './workers.js';

export interface TimeTravelOptions {
  readonly stack: StackInfo;
  readonly environment: Record<string, string>;
  readonly workflowBundlePath: string;
  /** Empty: the SDK downloads its own. */
  readonly timeSkippingServerPath: string;
}

/** Numbers of `temporal.api.enums.v1.IndexedValueType`, which the client does not export by name. */
const indexedValueTypes = { Keyword: 2, Datetime: 6 } as const;

export type LifecycleHandle = WorkflowHandleWithSignaledRunId<typeof identityLifecycle>;

export class TimeTravel {
  readonly people: OryPeople;
  private readonly started = new Set<LifecycleHandle>();
  private readonly workers: RunningWorkers[] = [];
  /** As in an installation: not as the owner of the tables. */
  private readonly workerPool: pg.Pool;

  private constructor(
    private readonly options: TimeTravelOptions,
    readonly env: TestWorkflowEnvironment,
    readonly pool: pg.Pool,
    readonly kratosPool: pg.Pool,
  ) {
    this.people = new OryPeople(options.stack);
    this.workerPool = createPool({ url: options.stack.postgres.runtimeUrl });
  }

  static async begin(options: TimeTravelOptions): Promise<TimeTravel> {
    quietLog();
    const { timeSkippingServerPath: path } = options;
    const env = await startSkipping(path);
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.entries(searchAttributes).map(([name, type]) => [name, indexedValueTypes[type]]),
      ),
    });
    const pool = createPool({ url: options.stack.postgres.url });
    // Journeys go through the same days one after another: the breaker must not count the acts of all of them together.
    await clearBreaker(pool);
    await forgetWitnesses(pool);
    // Only there can a date of an identity be set.
    return new TimeTravel(options, env, pool, openKratosDatabase(options.stack));
  }

  /** Starts workers on a queue of their own. @returns its name */
  async startWorkers(
    environment: Record<string, string> = {},
    extras: ActivityExtras = {},
    more: Partial<Pick<TestWorkersOptions, 'pool' | 'wrap' | 'cachedWorkflows'>> = {},
  ): Promise<string> {
    const taskQueue = `time-travel-${randomUUID().slice(0, 8)}`;
    this.workers.push(
      await startTestWorkers({
        connection: this.env.nativeConnection,
        taskQueue,
        environment: { ...this.options.environment, ...environment },
        pool: this.workerPool,
        workflowBundlePath: this.options.workflowBundlePath,
        clock: { now: () => this.now() },
        extras,
        ...more,
      }),
    );
    return taskQueue;
  }

  /** The skipping server's time, epoch milliseconds. */
  now(): Promise<number> {
    return this.env.currentTimeMs();
  }

  /** Lets time run to `at`, with all that happens meanwhile. */
  async travelTo(at: number): Promise<void> {
    const remainingMs = at - (await this.now());
    if (remainingMs <= 0) return;
    const arrival = new AbortController();
    const travelling = this.env.sleep(remainingMs).finally(() => arrival.abort());
    await Promise.all([travelling, this.freeTime(arrival.signal)]);
  }

  /**
   * The skipping server holds time while a task is under way. Now and then it keeps hold for a task that has ended ("Task
   * not found when completing"), and would never skip again: that hold is given back. Only where every lifecycle rests and
   * time has gone at its real pace all the same, twice in a row; otherwise nothing is done.
   */
  private async freeTime(arrival: AbortSignal): Promise<void> {
    let standstills = 0;
    let before = 0;
    while (!arrival.aborted) {
      await pause(stallMs, undefined, { signal: arrival }).catch(() => undefined);
      if (arrival.aborted) return;
      const now = await this.now();
      const isStill = now - before < skippedAtLeastMs && (await this.allRest());
      before = now;
      standstills = isStill ? standstills + 1 : 0;
      if (standstills < 2 || arrival.aborted) continue;
      standstills = 0;
      console.warn('the time-skipping server held on to time for a task that had ended');
      await this.env.connection.testService?.unlockTimeSkipping({});
    }
  }

  private async allRest(): Promise<boolean> {
    for (const handle of this.started) {
      const condition = await conditionOf(handle);
      if (condition === 'busy') return false;
      if (condition === 'closed') this.started.delete(handle);
    }
    return true;
  }

  async publish(text: string): Promise<void> {
    await publish(this.pool, text, await this.now());
  }

  async enrol(
    identityId: string,
    taskQueue: string,
    more: { activity?: LatestSigns; policyId?: string; historyLimit?: number } = {},
  ): Promise<LifecycleHandle> {
    const { policyId, ...rest } = more;
    const input: LifecycleInput = {
      schemaVersion: 1,
      identityId,
      policy: { id: policyId ?? 'default' },
      historyLimit: endlessHistory,
      runAgeLimitMs: endlessAge,
      ...rest,
    };
    const handle = (await this.env.client.workflow.start(lifecycleWorkflowType, {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue,
      args: [input],
    })) as unknown as LifecycleHandle;
    this.started.add(handle);
    return handle;
  }

  audit(identityId: string): Promise<AuditRow[]> {
    return readAudit(this.pool, identityId);
  }

  mails(): Promise<CaughtMail[]> {
    return readMailbox(this.options.stack.mail.apiUrl);
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

  /**
   * Ends the lifecycles of a test, so that they do not wake while the next one travels. Not in the middle of a task: the
   * server would wait for its end for ever, and never skip time again.
   */
  async forgetLifecycles(): Promise<void> {
    for (const handle of this.started) {
      await this.rest(handle);
      await handle.terminate('test ended').catch(() => undefined);
    }
    this.started.clear();
  }

  /** Waits, in real time, until the lifecycle has nothing under way. */
  async rest(handle: LifecycleHandle): Promise<void> {
    await until('a lifecycle at rest', async () => (await conditionOf(handle)) !== 'busy');
  }

  async end(): Promise<void> {
    await this.forgetLifecycles();
    for (const workers of this.workers) await workers.stop();
    await this.env.teardown();
    await this.pool.end();
    await this.workerPool.end();
    await this.kratosPool.end();
  }
}

/** The SDK gives a server five seconds to start, which a busy machine may need for the JVM alone. */
async function startSkipping(path: string, attempts = 5): Promise<TestWorkflowEnvironment> {
  const options = path === '' ? {} : ({ server: { executable: { type: 'existing-path', path } } } as const);
  try {
    return await TestWorkflowEnvironment.createTimeSkipping(options);
  } catch (error) {
    if (attempts <= 1) throw error;
    return startSkipping(path, attempts - 1);
  }
}

/** Real milliseconds after which a stalled journey is checked. */
const stallMs = 3_000;
/** More than that can't pass within {@link stallMs} unless time is skipped. */
const skippedAtLeastMs = 60_000;

/**
 * The skipping server loses a task of a run that continues as new in the instant in which it answers an update, and holds
 * time from then on. Runs that follow each other are shown on the real server (continue-as-new.test.ts, test/faults/kills).
 */
const endlessHistory = 10_000;
const endlessAge = 0;

const { EventType } = proto.temporal.api.enums.v1;
/** What the history of a workflow ends with that has nothing under way; a task always ends with one of these. */
const restful: ReadonlySet<unknown> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

/** Read off the history: the skipping server's description does not show a task under way. */
async function conditionOf(handle: LifecycleHandle): Promise<'busy' | 'asleep' | 'closed'> {
  const { raw, status } = await handle.describe();
  if (status.name !== 'RUNNING') return 'closed';
  if ((raw.pendingActivities ?? []).length > 0) return 'busy';
  return restful.has((await handle.fetchHistory()).events?.at(-1)?.eventType) ? 'asleep' : 'busy';
}

/** Audit rows as a test states them: whole days of inactivity, and what happened. */
export function lines(rows: readonly AuditRow[]): string[] {
  return rows.map(
    ({ daysInactive, eventType, actor }) =>
      `${Math.floor(daysInactive)} ${eventType}${actor === 'engine' ? '' : ` by ${actor}`}`,
  );
}

/** How much later than a whole day an event came, milliseconds. */
export function latenessMs({ daysInactive }: AuditRow): number {
  return (daysInactive - Math.floor(daysInactive)) * dayMs;
}
