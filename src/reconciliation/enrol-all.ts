/** Starts the enrolment of all identities and follows it. A workflow does the work; this only watches. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  enrolAllWorkflowId,
  previewWorkflowId,
  progressQuery,
  type ReconcileInput,
  type ReconcileOptions,
  type ReconcileResult,
  reconcileWorkflowType,
} from '../workflows/reconcile-messages.js';
import { progressLine } from './progress.js';

export interface EnrolAllSystem {
  readonly client: Client;
  readonly taskQueue: string;
}

/** Where progress is printed. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Starts it, unless it is running. @returns the workflow's ID, and whether this call started it */
export async function startEnrolAll(
  { client, taskQueue }: EnrolAllSystem,
  options: ReconcileOptions,
): Promise<{ workflowId: string; started: boolean }> {
  const workflowId = options.dryRun ? previewWorkflowId(taskQueue) : enrolAllWorkflowId(taskQueue);
  const input: ReconcileInput = { schemaVersion: 1, options };
  try {
    await client.workflow.start(reconcileWorkflowType, {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: options.dryRun ? 'Preview of an enrolment of everybody' : 'Enrols everybody',
    });
    return { workflowId, started: true };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { workflowId, started: false };
    throw error;
  }
}

export interface FollowOptions {
  readonly output: Output;
  /** Ends the watching, not the work. */
  readonly signal: AbortSignal;
  /** Between two looks, milliseconds. Default: 1,000 on a terminal, 10,000 elsewhere. */
  readonly everyMs?: number;
}

/**
 * Shows progress until the workflow ends.
 * @returns its result, or `undefined` when the watching ended first
 * @throws WorkflowFailedError, and an Error when there is nothing to follow
 */
export async function followEnrolAll(
  client: Client,
  workflowId: string,
  options: FollowOptions,
): Promise<ReconcileResult | undefined> {
  const { output, signal } = options;
  const handle = client.workflow.getHandle(workflowId);
  const ended = new AbortController();
  const result: Promise<ReconcileResult> = handle.result().finally(() => ended.abort());
  const watching = watch(() => handle.query(progressQuery), AbortSignal.any([signal, ended.signal]), options);
  // Without this, a failure before the watching has ended would be an unhandled rejection.
  result.catch(() => undefined);
  await watching;
  if (output.isTTY === true) output.write('\n');
  if (signal.aborted && !ended.signal.aborted) return undefined;
  try {
    return await result;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new Error('There is no enrolment to follow. Start one with: dormouse server enrol --all');
    throw error;
  }
}

type AskProgress = () => Promise<Parameters<typeof progressLine>[0]>;

async function watch(ask: AskProgress, stop: AbortSignal, options: FollowOptions): Promise<void> {
  const { output } = options;
  const everyMs = options.everyMs ?? (output.isTTY === true ? 1_000 : 10_000);
  while (!stop.aborted) {
    let line: string;
    try {
      line = progressLine(await ask(), Date.now());
    } catch {
      line = 'no answer yet: is a worker running?';
    }
    if (stop.aborted) return;
    output.write(output.isTTY === true ? `\r\u001b[K${line}` : `${line}\n`);
    await pause(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}
