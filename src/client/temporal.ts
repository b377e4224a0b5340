/**
 * The client's Temporal calls: starts, signals, updates and queries of lifecycles, each with a time limit.
 */

import {
  Client,
  Connection,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { readConfig } from '../config.js';
import { given } from '../domain/given.js';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import type { SignOfLife } from '../domain/sign-of-life.js';
import { within } from '../process/bounded.js';
import {
  DormouseUnavailableError,
  InvalidRequestError,
  LifecycleEndedError,
  NotEnrolledError,
} from '../process/caller-errors.js';
import { traceInterceptor } from '../process/temporal-traces.js';
import { lifecycleStart, tellLifecycle } from '../signs/tell-lifecycle.js';
import {
  type LifecycleInput,
  lifecycleEnded,
  lifecycleWorkflowType,
  lookAgainSignal,
  policyNotChecked,
} from '../workflows/messages.js';
import { checkedPolicyId } from './checks.js';
import { EndableRetry } from './retry.js';
import { isTransient } from './transient.js';
import type { DirectOptions } from './types.js';

export class Lifecycles {
  private readonly retry = new EndableRetry();
  private readonly connection: Connection;
  private readonly client: Client;
  private readonly taskQueue: string;
  private readonly policyId: string;

  constructor(options: DirectOptions) {
    const { address, apiKey, tls, namespace } = options.temporal;
    this.taskQueue = options.taskQueue ?? 'dormouse';
    this.policyId =
      checkedPolicyId(options.policyId) ?? readConfig(['DORMOUSE_POLICY_ID']).DORMOUSE_POLICY_ID;
    this.connection = Connection.lazy({
      address,
      interceptors: [this.retry.interceptor],
      ...given({ apiKey, tls }),
    });
    this.client = new Client({
      connection: this.connection,
      namespace: namespace ?? 'default',
      interceptors: { workflow: [traceInterceptor] },
    });
  }

  /** Signals the workflow, and starts it where none runs. */
  signal(ms: number, id: string, sign: SignOfLife): Promise<void> {
    const { taskQueue, policyId } = this;
    return this.call(ms, () =>
      tellLifecycle(this.client.workflow, { taskQueue, policyId }, { identityId: id, ...sign }),
    );
  }

  /** @returns whether this call started it */
  start(ms: number, input: Omit<LifecycleInput, 'policy'>, policyId: string | undefined): Promise<boolean> {
    return this.call(ms, async () => {
      const before = await this.isRunning(input.identityId);
      await this.client.workflow.start(lifecycleWorkflowType, {
        ...lifecycleStart(this.taskQueue, { ...input, policy: { id: policyId ?? this.policyId } }),
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      return !before;
    });
  }

  /** Makes the workflow look again, where one runs. */
  async lookAgain(ms: number, identityId: string): Promise<void> {
    await this.ask(ms, identityId, (handle) => handle.signal(lookAgainSignal, { schemaVersion: 1 }));
  }

  /** Queries or updates the running workflow. @throws NotEnrolledError */
  ask<T>(ms: number, identityId: string, question: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    return this.call(ms, () => question(this.client.workflow.getHandle(lifecycleWorkflowId(identityId))));
  }

  async close(): Promise<void> {
    await this.retry.end();
    await this.connection.close();
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

  /** Calls Temporal within a deadline, and turns its errors into the client's own. */
  private async call<T>(ms: number, work: () => Promise<T>): Promise<T> {
    try {
      const answer = this.retry.track(this.connection.withDeadline(Date.now() + ms, work));
      return await within(ms, 'Temporal', answer);
    } catch (error) {
      if (error instanceof DormouseUnavailableError) throw error;
      if (error instanceof WorkflowNotFoundError) throw new NotEnrolledError();
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
        if (error.cause.type === policyNotChecked) {
          throw new DormouseUnavailableError('PostgreSQL', { cause: error });
        }
        if (error.cause.type === lifecycleEnded) throw new LifecycleEndedError(error.cause.message);
        throw new InvalidRequestError(error.cause.message);
      }
      if (isTransient(error)) throw new DormouseUnavailableError('Temporal', { cause: error });
      throw error;
    }
  }
}
