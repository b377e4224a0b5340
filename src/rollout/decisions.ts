/** Operators' questions to a roll-out that is under way, and their decisions on it. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type pg from 'pg';
import { InvalidRequestError } from '../process/caller-errors.js';
import {
  type DecidedRollout,
  pauseRolloutUpdate,
  type RollBack,
  type RolloutProgress,
  rollBackUpdate,
  rolloutQuery,
  rolloutWorkflowId,
} from '../workflows/rollout-messages.js';
import { type RolloutRow, readRollouts } from './rollouts-table.js';
import { type RolloutPlaceOfWork, resumeRollout } from './start.js';

/** @returns how far the roll-out is; `undefined` where none is under way. */
export async function queryRollout(
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

/** Wakes nobody more. @throws InvalidRequestError */
export function pauseRollout(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  decision: DecidedRollout,
): Promise<RolloutProgress> {
  const handle = client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId));
  return answered(policyId, () => handle.executeUpdate(pauseRolloutUpdate, { args: [decision] }));
}

/** Goes on with the latest roll-out, which was paused or cancelled. @throws InvalidRequestError */
export async function resumeLatestRollout(
  place: RolloutPlaceOfWork & { readonly pool: pg.Pool },
  policyId: string,
  decision: DecidedRollout,
): Promise<RolloutProgress> {
  const [latest] = await readRollouts(place.pool, policyId);
  if (latest === undefined || !isResumable(latest)) {
    throw new InvalidRequestError(
      `no roll-out of "${policyId}" is paused. See: dormouse policy rollout status ${policyId}`,
    );
  }
  return answered(policyId, () => resumeRollout(place, policyId, latest.version, decision));
}

/** Publishes the text of an earlier version as the next one, and takes that to people. @throws InvalidRequestError */
export function takeBackRollout(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  decision: RollBack,
): Promise<RolloutProgress> {
  const handle = client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId));
  return answered(policyId, () => handle.executeUpdate(rollBackUpdate, { args: [decision] }));
}

export function isUnderWay({ state }: RolloutRow): boolean {
  return state === 'waking' || state === 'paused';
}

export function isResumable({ state }: RolloutRow): boolean {
  return state === 'paused' || state === 'cancelled';
}

/** @throws InvalidRequestError with the roll-out's own words, or one that says that none runs */
async function answered(policyId: string, ask: () => Promise<RolloutProgress>): Promise<RolloutProgress> {
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
