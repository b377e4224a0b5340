/** Starts the roll-out of a policy, or speaks to the one that runs: a policy has one at a time. */
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import {
  type DecidedRollout,
  noRolloutCounts,
  policyRolloutWorkflowType,
  publishRolloutUpdate,
  type RolloutInput,
  type RolloutProgress,
  resumeRolloutUpdate,
  rolloutWorkflowId,
} from '../workflows/rollout-messages.js';

export interface RolloutPlaceOfWork {
  readonly client: Client;
  /** The task queue of the workflows. */
  readonly taskQueue: string;
}

/** Starts the roll-out, or tells the one that runs of the version. @returns how far it is */
export function rollOut(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  version: number,
): Promise<RolloutProgress> {
  return client.workflow.executeUpdateWithStart(publishRolloutUpdate, {
    args: [{ schemaVersion: 1, version }],
    // Two workers that find the same version tell the roll-out of it once.
    updateId: `publish/${version}`,
    startWorkflowOperation: startOf(taskQueue, { schemaVersion: 1, policyId, version }),
  });
}

/**
 * Goes on with a roll-out that was paused. One whose workflow was cancelled or terminated meanwhile is started again,
 * from its beginning: who was woken already is not due earlier any more.
 * @returns how far it is
 */
export function resumeRollout(
  { client, taskQueue }: RolloutPlaceOfWork,
  policyId: string,
  version: number,
  decision: DecidedRollout,
): Promise<RolloutProgress> {
  const { actor, reason } = decision;
  const at = Date.now();
  const progress: RolloutProgress = {
    ...{ schemaVersion: 1, policyId, version, place: { phase: 'urgent' }, counts: noRolloutCounts },
    ...{ startedAt: at, paused: { actor, reason, at } },
  };
  return client.workflow.executeUpdateWithStart(resumeRolloutUpdate, {
    args: [decision],
    startWorkflowOperation: startOf(taskQueue, { schemaVersion: 1, policyId, version, progress }),
  });
}

function startOf(taskQueue: string, input: RolloutInput) {
  const { policyId } = input;
  return new WithStartWorkflowOperation(policyRolloutWorkflowType, {
    workflowId: rolloutWorkflowId(taskQueue, policyId),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `Roll-out of policy ${policyId}`,
  });
}
