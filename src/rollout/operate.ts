/** What operators see of a policy's roll-out, and decide about it: for the gateway's routes and its pages. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type pg from 'pg';
import { InvalidRequestError } from '../process/caller-errors.js';
import {
  type DecidedRollout,
  pauseRolloutUpdate,
  type RolloutProgress,
  rollBackUpdate,
  rolloutQuery,
  rolloutWorkflowId,
} from '../workflows/rollout-messages.js';
import { type RolloutRow, readRollouts } from './rollouts-table.js';
import { type RolloutPlaceOfWork, resumeRollout } from './start.js';

/** PostgreSQL has the state; for the one under way, the workflow has the counts of this moment and the phase. */
export interface RolloutStatus extends RolloutRow {
  readonly phase?: string;
}

/** @returns the roll-outs of a policy, the latest version first */
export async function rolloutStatus(
  pool: pg.Pool,
  system: RolloutPlaceOfWork,
  policyId: string,
): Promise<RolloutStatus[]> {
  const rows = await readRollouts(pool, policyId);
  const [latest] = rows;
  const isUnderWay = latest?.state === 'waking' || latest?.state === 'paused';
  const progress = isUnderWay ? await query(system, policyId) : undefined;
  return rows.map((row) =>
    progress?.version === row.version ? { ...row, ...progress.counts, phase: progress.place.phase } : row,
  );
}

async function query(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
): Promise<RolloutProgress | undefined> {
  try {
    return await client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId)).query(rolloutQuery);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Wakes nobody more. @throws InvalidRequestError with the roll-out's own words, or one that says that none runs */
export function pauseRollout(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  decision: DecidedRollout,
): Promise<RolloutProgress> {
  const handle = client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId));
  return told(policyId, () => handle.executeUpdate(pauseRolloutUpdate, { args: [decision] }));
}

/** Goes on with a roll-out that was paused or cancelled. @throws InvalidRequestError */
export async function goOnWithRollout(
  pool: pg.Pool,
  system: RolloutPlaceOfWork,
  policyId: string,
  decision: DecidedRollout,
): Promise<RolloutProgress> {
  const [latest] = await readRollouts(pool, policyId);
  if (latest === undefined || (latest.state !== 'paused' && latest.state !== 'cancelled')) {
    throw new InvalidRequestError(
      `no roll-out of "${policyId}" is paused. See: dormouse policy rollout status ${policyId}`,
    );
  }
  return told(policyId, () => resumeRollout(system, policyId, latest.version, decision));
}

/** Takes the text of an earlier version to people instead. @throws InvalidRequestError */
export function takeRolloutBack(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  decision: DecidedRollout & { readonly to?: number },
): Promise<RolloutProgress> {
  const handle = client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId));
  return told(policyId, () => handle.executeUpdate(rollBackUpdate, { args: [decision] }));
}

async function told(policyId: string, ask: () => Promise<RolloutProgress>): Promise<RolloutProgress> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new InvalidRequestError(
        `no roll-out of "${policyId}" is under way. See: dormouse policy rollout status ${policyId}`,
      );
    }
    if (error instanceof WorkflowUpdateFailedError)
      throw new InvalidRequestError(error.cause?.message ?? error.message);
    throw error;
  }
}
