/** What the direct client does: it asks Temporal and PostgreSQL. Every call is bounded in time. */
import type { WorkflowHandle } from '@temporalio/client';
import type pg from 'pg';
import type { Exemption } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import type { Standing } from '../domain/standing.js';
import { createPool } from '../postgres/pool.js';
import { within } from '../process/bounded.js';
import { DormouseUnavailableError } from '../process/caller-errors.js';
import { SignRecorder } from '../signs/recorder.js';
import { readStanding } from '../standings/standings-table.js';
import { credentialsOf } from '../tokens/credentials.js';
import { readNotBefore } from '../tokens/revocations-table.js';
import {
  applyPolicyUpdate,
  lookAgainSignal,
  reactivateUpdate,
  retryParkedUpdate,
  skipParkedUpdate,
  standingQuery,
} from '../workflows/messages.js';
import { checkedPolicyId, checkedSign, checkedTime, updateId } from './checks.js';
import { withDefaults } from './defaults.js';
import type { DirectDormouse } from './direct-types.js';
import { Exemptions } from './exemptions.js';
import { Holds } from './holds.js';
import { Lifecycles } from './temporal.js';
import type {
  ActivityReport,
  Counters,
  DirectOptions,
  Dormouse,
  HoldAnswer,
  OperatorRequest,
  RecordOutcome,
  StandingDetails,
  Worklist,
  WorklistRequest,
} from './types.js';
import { readWorklist } from './worklist.js';

export class DirectClient implements DirectDormouse {
  protected readonly pool: pg.Pool;
  protected readonly lifecycles: Lifecycles;
  private readonly recorder: SignRecorder;
  private readonly exemptions: Exemptions;
  private readonly holds: Holds;
  /** For operators, who wait longer than an app's request may. */
  private readonly operatorPool: pg.Pool;
  protected readonly timeoutMs: number;
  private readonly requestTimeoutMs: number;
  private readonly counts = { recorded: 0, dropped: 0, recordedWithoutSignal: 0, noted: 0 };

  constructor(private readonly options: DirectOptions) {
    const { timeoutMs, requestTimeoutMs, batchMs, maxPending } = withDefaults(options);
    this.timeoutMs = timeoutMs;
    this.requestTimeoutMs = requestTimeoutMs;
    this.pool = createPool({
      url: options.postgresUrl,
      connectTimeoutMs: this.timeoutMs,
      statementTimeoutMs: this.timeoutMs,
    });
    this.lifecycles = new Lifecycles(options);
    this.operatorPool = createPool({
      ...{ url: options.postgresUrl, max: 2 },
      connectTimeoutMs: this.requestTimeoutMs,
      statementTimeoutMs: this.requestTimeoutMs,
    });
    this.exemptions = new Exemptions(this.operatorPool, (id) =>
      this.lifecycles.lookAgain(this.requestTimeoutMs, id),
    );
    this.holds = new Holds({
      pool: this.operatorPool,
      lifecycles: this.lifecycles,
      timeoutMs: this.requestTimeoutMs,
    });
    this.recorder = new SignRecorder({
      pool: this.pool,
      tellWorkflow: (id, sign) => this.lifecycles.signal(this.requestTimeoutMs, id, sign),
      batchMs,
      maxPending,
    });
  }

  noteActivity(identityId: string, report: ActivityReport = {}): void {
    this.recorder.note({ ...checkedSign(report), identityId: parseIdentityId(identityId) });
    this.counts.noted += 1;
  }

  async recordActivity(identityId: string, report: ActivityReport = {}): Promise<RecordOutcome> {
    const id = parseIdentityId(identityId);
    const sign = checkedSign(report);
    let stored: { told: Promise<void> };
    try {
      stored = await within(this.timeoutMs, 'PostgreSQL', this.recorder.store({ ...sign, identityId: id }));
    } catch (cause) {
      // Without PostgreSQL nobody knows whether the workflow must hear of it: it is told.
      return this.tellInstead(cause, () => this.lifecycles.signal(this.timeoutMs, id, sign));
    }
    this.counts.recorded += 1;
    await within(this.timeoutMs, 'Temporal', stored.told).catch(() => {
      this.counts.recordedWithoutSignal += 1;
    });
    return 'recorded';
  }

  async standing(identityId: string): Promise<Standing | undefined> {
    const id = parseIdentityId(identityId);
    return this.read(() => readStanding(this.pool, id));
  }

  async revokedBefore(identityId: string): Promise<number | undefined> {
    const id = parseIdentityId(identityId);
    return this.read(() => readNotBefore(this.pool, id));
  }

  async liveStanding(identityId: string): Promise<Standing & StandingDetails> {
    const live = await this.ask(identityId, (handle) => handle.query(standingQuery));
    const { sessionsEnd, ...standing } = live;
    const credentials = await this.read(() => credentialsOf(this.pool, live)).catch(() => undefined);
    return { ...standing, ...given({ credentials }) };
  }

  async enrol(
    identityId: string,
    options: { lastActiveAt?: Date | number; policyId?: string } = {},
  ): Promise<boolean> {
    const id = parseIdentityId(identityId);
    const { lastActiveAt } = options;
    const activity =
      lastActiveAt === undefined ? {} : { activity: { human: checkedTime('lastActiveAt', lastActiveAt) } };
    const policyId = checkedPolicyId(options.policyId);
    return this.lifecycles.start(
      this.requestTimeoutMs,
      { schemaVersion: 1, identityId: id, ...activity },
      policyId,
    );
  }

  applyPolicy(
    identityId: string,
    request: OperatorRequest & { policyId: string; version?: number },
  ): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(applyPolicyUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  hold(identityId: string, request: Parameters<Dormouse['hold']>[1]): Promise<HoldAnswer> {
    return this.holds.hold(identityId, request);
  }

  release(identityId: string, request: Parameters<Dormouse['release']>[1]): Promise<HoldAnswer> {
    return this.holds.release(identityId, request);
  }

  reactivate(identityId: string, request: OperatorRequest & { reason: string }): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(reactivateUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  async lookAgain(identityId: string): Promise<void> {
    await this.ask(identityId, (handle) => handle.signal(lookAgainSignal, { schemaVersion: 1 }));
  }

  retryParked(identityId: string, request: OperatorRequest): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(retryParkedUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  skipParked(identityId: string, request: OperatorRequest & { reason: string }): Promise<Standing> {
    const { requestId, ...rest } = request;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(skipParkedUpdate, {
        args: [{ schemaVersion: 1, ...rest }],
        ...updateId(requestId),
      }),
    );
  }

  // Async, as `ask` is: a mistake of the caller's rejects.
  async exempt(identityId: string, request: Parameters<Dormouse['exempt']>[1]): Promise<Exemption> {
    return this.exemptions.exempt(identityId, request);
  }

  async reviewExemption(
    identityId: string,
    request: Parameters<Dormouse['reviewExemption']>[1],
  ): Promise<Exemption> {
    return this.exemptions.review(identityId, request);
  }

  async endExemption(
    identityId: string,
    request: Parameters<Dormouse['endExemption']>[1],
  ): Promise<Exemption> {
    return this.exemptions.end(identityId, request);
  }

  worklist(request: WorklistRequest = {}): Promise<Worklist> {
    return readWorklist(this.operatorPool, request);
  }

  counters(): Counters {
    const { superseded, dropped, pending, signalled } = this.recorder.counters();
    return { ...this.counts, dropped: this.counts.dropped + dropped, superseded, pending, signalled };
  }

  async close(): Promise<void> {
    await this.recorder.close(this.requestTimeoutMs);
    await this.lifecycles.close();
    await this.pool.end();
    await this.operatorPool.end();
  }

  private async read<T>(query: () => Promise<T>): Promise<T> {
    try {
      return await within(this.timeoutMs, 'PostgreSQL', query());
    } catch (error) {
      if (error instanceof DormouseUnavailableError) throw error;
      throw new DormouseUnavailableError('PostgreSQL', { cause: error });
    }
  }

  private async tellInstead(cause: unknown, tell: () => Promise<void>): Promise<RecordOutcome> {
    try {
      await tell();
    } catch {
      if (this.options.whenUnavailable !== 'drop')
        throw new DormouseUnavailableError('PostgreSQL', { cause });
      this.counts.dropped += 1;
      return 'dropped';
    }
    this.counts.recorded += 1;
    return 'recorded';
  }

  // Async, so that a malformed id rejects like any other mistake instead of throwing at the call.
  protected async ask<T>(identityId: string, question: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    return this.lifecycles.ask(this.requestTimeoutMs, parseIdentityId(identityId), question);
  }
}
