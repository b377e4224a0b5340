/** Tells a lifecycle of a sign of life, and starts it where none runs. Of Temporal it needs the client only. */
import type { WorkflowClient } from '@temporalio/client';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { type LifecycleInput, lifecycleWorkflowType, userActivitySignal } from '../workflows/messages.js';
import type { IdentitySign } from './identity-sign.js';

export interface LifecyclePlace {
  readonly taskQueue: string;
  /** What a lifecycle that is started now follows. */
  readonly policyId: string;
}

/** How every lifecycle is started, whoever starts it. */
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
