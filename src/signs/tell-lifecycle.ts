/** Tells a lifecycle of a sign of life, and starts it where none runs. Needs only Temporal's client. */
import type { WorkflowClient } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { type LifecycleInput, lifecycleWorkflowType, userActivitySignal } from '../workflows/messages.js';
import type { IdentitySign } from './identity-sign.js';

export interface LifecyclePlace {
  readonly taskQueue: string;
  /** The policy of lifecycles that are started now. */
  readonly policyId: string;
}

/** How every lifecycle is started, for all callers. */
export function lifecycleStart(taskQueue: string, input: LifecycleInput) {
  return {
    workflowId: lifecycleWorkflowId(input.identityId),
    taskQueue,
    args: [input] as [LifecycleInput],
    staticSummary: 'Inactivity lifecycle of one identity',
  };
}

export async function tellLifecycle(
  workflows: WorkflowClient,
  { taskQueue, policyId }: LifecyclePlace,
  { identityId, at, kind, source }: IdentitySign,
): Promise<void> {
  await workflows.signalWithStart(lifecycleWorkflowType, {
    ...lifecycleStart(taskQueue, { schemaVersion: 1, identityId, policy: { id: policyId } }),
    signal: userActivitySignal,
    signalArgs: [{ schemaVersion: 1, at, kind, source }],
  });
}
