/**
 * The client: what an app adds to tell Dormouse who is alive and to ask where somebody stands. Every call is bounded in
 * time; an app's request never hangs because of Dormouse.
 *
 * @example
 * ```ts
 * const dormouse = createDormouse({ temporal: { address: '127.0.0.1:7233' }, postgresUrl, whenUnavailable: 'drop' });
 * await dormouse.recordActivity(session.identity.id, { kind: 'human', source: 'web' });
 * if ((await dormouse.standing(session.identity.id))?.stage === 'suspended') showReadOnlyBanner();
 * ```
 */
import {
  Client,
  Connection,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import { isTransient, within } from './client/bounded.js';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from './client/errors.js';
import { EndableRetry } from './client/retry.js';
import { lifecycleWorkflowId, parseIdentityId } from './domain/identity-id.js';
import { type ActivityKind, activityKinds, clampToNow, type SignOfLife } from './domain/sign-of-life.js';
import type { Standing } from './domain/standing.js';
import { createPool } from './store/pool.js';
import { readStanding } from './store/standings.js';
import { recordSigns } from './store/user-activity.js';
import {
  applyPolicyUpdate,
  holdUpdate,
  type LifecycleInput,
  lifecycleWorkflowType,
  reactivateUpdate,
  releaseUpdate,
  retryParkedUpdate,
  standingQuery,
  userActivitySignal,
} from './workflows/messages.js';

export { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from './client/errors.js';
export { InvalidIdentityIdError } from './domain/identity-id.js';
export type { ActivityKind } from './domain/sign-of-life.js';
export type { Standing } from './domain/standing.js';

export interface DormouseOptions {
  readonly temporal: {
    /** `host:port` of the Temporal frontend. */
    readonly address: string;
    /** Default `default`. */
    readonly namespace?: string;
    readonly apiKey?: string;
    readonly tls?: boolean;
  };
  /** Dormouse's own database. */
  readonly postgresUrl: string;
  /** Default `dormouse`; must be the worker's. */
  readonly taskQueue?: string;
  /** The policy of identities that this client enrols. Default `default`. */
  readonly policyId?: string;
  /** How long {@link Dormouse.recordActivity} and {@link Dormouse.standing} may take, milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
  /** How long operators' requests may take, milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /**
   * What {@link Dormouse.recordActivity} does when neither PostgreSQL nor Temporal answers: `throw` a
   * {@link DormouseUnavailableError}, or `drop` the sign of life and count it (see {@link Dormouse.counters}).
   * Default `throw`.
   */
  readonly whenUnavailable?: 'throw' | 'drop';
}

export interface ActivityReport {
  /** When the person was seen: a Date or epoch milliseconds. Default: now. The future is clamped to now. */
  readonly at?: Date | number;
  /** Default `human`. */
  readonly kind?: ActivityKind;
  /** Where it was seen: a short name without personal data. Default `app`. */
  readonly source?: string;
}

/** `recorded`: safe in PostgreSQL or in the workflow. `dropped`: counted, because nothing answered. */
export type RecordOutcome = 'recorded' | 'dropped';

export interface Counters {
  readonly recorded: number;
  readonly dropped: number;
  /** Recorded in PostgreSQL while Temporal was away: felt at the next wake-up rather than at once. */
  readonly recordedWithoutSignal: number;
}

interface Request {
  /** Opaque id of the operator or program, never an e-mail address. */
  readonly actor: string;
  /** Makes repeating the call harmless. Default: a random one. */
  readonly requestId?: string;
}

export interface Dormouse {
  /**
   * Tells that somebody, or something in their name, was active. Lands in PostgreSQL and wakes the workflow; late,
   * duplicate and out-of-order reports are harmless. Identities that were never enrolled are enrolled by it.
   * @throws InvalidIdentityIdError, InvalidRequestError: the caller's mistake
   * @throws DormouseUnavailableError when nothing answered and `whenUnavailable` is `throw`
   */
  recordActivity(identityId: string, report?: ActivityReport): Promise<RecordOutcome>;
  /**
   * The same for a request's path: takes note and returns at once, never waits and never fails but for the caller's
   * mistake. Signs are handed on in batches within `batchMs`; the death of the process costs at most that.
   * @throws InvalidIdentityIdError, InvalidRequestError
   */
  noteActivity(identityId: string, report?: ActivityReport): void;
  /**
   * Where the identity stands, what comes next, when and why, from the projection in PostgreSQL: cheap enough for a
   * request's path. @returns `undefined` for an identity that was never enrolled. @throws DormouseUnavailableError
   */
  standing(identityId: string): Promise<Standing | undefined>;
  /** The same from the workflow itself: exact to the millisecond, slower, for operators. @throws NotEnrolledError */
  liveStanding(identityId: string): Promise<Standing>;
  /**
   * Starts the identity's workflow. Its clock starts at the latest of: `lastActiveAt`, signs of life recorded before, sign-ins that
   * Kratos knows, its creation. @returns whether it was started now; `false` when it ran already
   */
  enrol(identityId: string, options?: { lastActiveAt?: Date | number; policyId?: string }): Promise<boolean>;
  /** Follows another policy; without `version` always its latest. @throws InvalidRequestError, NotEnrolledError */
  applyPolicy(
    identityId: string,
    request: Request & { policyId: string; version?: number },
  ): Promise<Standing>;
  /** Stops all rungs until a set time. @throws InvalidRequestError, NotEnrolledError */
  hold(identityId: string, request: Request & { reason: string; until: Date | number }): Promise<Standing>;
  /** Ends a hold early. @throws InvalidRequestError, NotEnrolledError */
  release(identityId: string, request: Request & { reason: string }): Promise<Standing>;
  /** Brings back an identity that the engine deactivated. @throws InvalidRequestError, NotEnrolledError */
  reactivate(identityId: string, request: Request & { reason: string }): Promise<Standing>;
  /** Tries a step that failed for good once more. @throws InvalidRequestError, NotEnrolledError */
  retryParked(identityId: string, request: Request): Promise<Standing>;
  counters(): Counters;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** Earlier than any system that Dormouse could stand beside: such a time is seconds taken for milliseconds. */
const earliestAt = Date.UTC(2000, 0, 1);
const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;
const policyIdPattern = /^[a-z][a-z0-9-]{0,31}$/;
const sourcePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

/** Opens a client. Connections are made when they are needed, so this neither waits nor fails when Temporal is away. */
export function createDormouse(options: DormouseOptions): Dormouse {
  return new DormouseClient(options);
}

class DormouseClient implements Dormouse {
  private readonly pool: pg.Pool;
  private readonly retry = new EndableRetry();
  private readonly connection: Connection;
  private readonly client: Client;
  private readonly timeoutMs: number;
  private readonly requestTimeoutMs: number;
  private readonly counts = { recorded: 0, dropped: 0, recordedWithoutSignal: 0 };

  constructor(private readonly options: DormouseOptions) {
    this.timeoutMs = options.timeoutMs ?? 1_000;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 15_000;
    this.pool = createPool({
      url: options.postgresUrl,
      connectTimeoutMs: this.timeoutMs,
      statementTimeoutMs: this.timeoutMs,
    });
    const { address, apiKey, tls, namespace } = options.temporal;
    this.connection = Connection.lazy({
      address,
      interceptors: [this.retry.interceptor],
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(tls === undefined ? {} : { tls }),
    });
    this.client = new Client({ connection: this.connection, namespace: namespace ?? 'default' });
  }

  async recordActivity(identityId: string, report: ActivityReport = {}): Promise<RecordOutcome> {
    const id = parseIdentityId(identityId);
    const sign = checkedSign(report);
    const [stored, signalled] = await Promise.allSettled([
      within(this.timeoutMs, 'PostgreSQL', recordSigns(this.pool, [{ ...sign, identityId: id }])),
      this.temporal(this.timeoutMs, () => this.signal(id, sign)),
    ]);
    if (stored.status === 'rejected' && signalled.status === 'rejected') {
      if (this.options.whenUnavailable === 'drop') {
        this.counts.dropped += 1;
        return 'dropped';
      }
      throw new DormouseUnavailableError('PostgreSQL', { cause: stored.reason });
    }
    if (signalled.status === 'rejected') this.counts.recordedWithoutSignal += 1;
    this.counts.recorded += 1;
    return 'recorded';
  }

  async standing(identityId: string): Promise<Standing | undefined> {
    const id = parseIdentityId(identityId);
    try {
      return await within(this.timeoutMs, 'PostgreSQL', readStanding(this.pool, id));
    } catch (error) {
      if (error instanceof DormouseUnavailableError) throw error;
      throw new DormouseUnavailableError('PostgreSQL', { cause: error });
    }
  }

  liveStanding(identityId: string): Promise<Standing> {
    return this.ask(identityId, (handle) => handle.query(standingQuery));
  }

  async enrol(
    identityId: string,
    options: { lastActiveAt?: Date | number; policyId?: string } = {},
  ): Promise<boolean> {
    const id = parseIdentityId(identityId);
    const { lastActiveAt } = options;
    const activity =
      lastActiveAt === undefined ? undefined : { human: checkedTime('lastActiveAt', lastActiveAt) };
    const policyId = checkedPolicyId(options.policyId) ?? this.options.policyId;
    const start = this.startOptions(id, policyId);
    const input: LifecycleInput = { ...start.args[0], ...(activity === undefined ? {} : { activity }) };
    return this.temporal(this.requestTimeoutMs, async () => {
      const before = await this.isRunning(id);
      await this.client.workflow.start(lifecycleWorkflowType, {
        ...start,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      return !before;
    });
  }

  applyPolicy(
    identityId: string,
    request: Request & { policyId: string; version?: number },
  ): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(applyPolicyUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  hold(identityId: string, request: Request & { reason: string; until: Date | number }): Promise<Standing> {
    const { requestId, until, ...rest } = request;
    const update = { schemaVersion: 1 as const, ...rest, until: Number(until) };
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(holdUpdate, { args: [update], ...updateId(requestId) }),
    );
  }

  release(identityId: string, request: Request & { reason: string }): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(releaseUpdate, { args: [{ schemaVersion: 1, ...rest }], ...updateId(requestId) }),
    );
  }

  reactivate(identityId: string, request: Request & { reason: string }): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(reactivateUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  retryParked(identityId: string, request: Request): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(retryParkedUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  counters(): Counters {
    return { ...this.counts };
  }

  async close(): Promise<void> {
    await this.retry.end();
    await this.connection.close();
    await this.pool.end();
  }

  private async signal(id: string, sign: SignOfLife): Promise<void> {
    await this.client.workflow.signalWithStart(lifecycleWorkflowType, {
      ...this.startOptions(id, this.options.policyId),
      signal: userActivitySignal,
      signalArgs: [{ schemaVersion: 1, ...sign }],
    });
  }

  private startOptions(identityId: string, policyId: string | undefined) {
    const input: LifecycleInput = { schemaVersion: 1, identityId, policy: { id: policyId ?? 'default' } };
    return {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue: this.options.taskQueue ?? 'dormouse',
      args: [input] as [LifecycleInput],
      staticSummary: 'Inactivity lifecycle of one identity',
    };
  }

  private async isRunning(identityId: string): Promise<boolean> {
    try {
      const description = await this.client.workflow.getHandle(lifecycleWorkflowId(identityId)).describe();
      return description.status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  // Async, so that a malformed id rejects like any other mistake instead of throwing at the call.
  private async ask(
    identityId: string,
    call: (handle: WorkflowHandle) => Promise<Standing>,
  ): Promise<Standing> {
    const handle = this.client.workflow.getHandle(lifecycleWorkflowId(identityId));
    return this.temporal(this.requestTimeoutMs, () => call(handle));
  }

  /** Calls Temporal within a deadline, and turns its errors into the client's own. */
  private async temporal<T>(ms: number, call: () => Promise<T>): Promise<T> {
    try {
      const answer = this.retry.track(this.connection.withDeadline(Date.now() + ms, call));
      return await within(ms, 'Temporal', answer);
    } catch (error) {
      if (error instanceof DormouseUnavailableError) throw error;
      if (error instanceof WorkflowNotFoundError) throw new NotEnrolledError();
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
        throw new InvalidRequestError(error.cause.message);
      }
      if (isTransient(error)) throw new DormouseUnavailableError('Temporal', { cause: error });
      throw error;
    }
  }
}

/** It becomes the update's ID and part of the audit event's name: nothing personal may get there. */
function updateId(requestId: string | undefined): { updateId?: string } {
  if (requestId === undefined) return {};
  if (!requestIdPattern.test(requestId)) {
    throw new InvalidRequestError(
      'requestId: takes at most 100 letters, digits and . _ : / -, without personal data',
    );
  }
  return { updateId: requestId };
}

function checkedPolicyId(policyId: string | undefined): string | undefined {
  if (policyId === undefined || policyIdPattern.test(policyId)) return policyId;
  throw new InvalidRequestError(
    'policyId: is not the id of a policy. Pass the id from the policy file, as "default"',
  );
}

function checkedSign(report: ActivityReport): SignOfLife {
  const kind = report.kind ?? 'human';
  if (!activityKinds.includes(kind)) {
    throw new InvalidRequestError(`kind: is not a kind of activity. Pass one of ${activityKinds.join(', ')}`);
  }
  const source = report.source ?? 'app';
  if (!sourcePattern.test(source)) {
    throw new InvalidRequestError(
      'source: takes a short name of letters, digits and . _ : / -, without personal data',
    );
  }
  return { at: report.at === undefined ? Date.now() : checkedTime('at', report.at), kind, source };
}

/** @returns epoch milliseconds, never in the future */
function checkedTime(field: string, time: Date | number): number {
  const at = Number(time);
  if (!Number.isFinite(at)) {
    throw new InvalidRequestError(`${field}: is not a time. Pass a Date or epoch milliseconds`);
  }
  if (at < earliestAt) {
    throw new InvalidRequestError(`${field}: is before the year 2000. Pass epoch milliseconds, not seconds`);
  }
  return clampToNow(Math.round(at), Date.now());
}
