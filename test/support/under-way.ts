/** What a workflow has under way, read off its description. */
import type { WorkflowHandle } from '@temporalio/client';

type Described = Pick<WorkflowHandle, 'describe'>;

/** Scheduled or running, with the last failure where an attempt has failed. */
export async function pendingActivities(handle: Described) {
  const pending = (await handle.describe()).raw.pendingActivities ?? [];
  return pending.map(({ activityType, lastFailure }) => ({
    name: activityType?.name ?? '',
    lastFailure: lastFailure ?? undefined,
  }));
}

export async function isUnderWay(handle: Described, activity: string): Promise<boolean> {
  return (await pendingActivities(handle)).some(({ name }) => name === activity);
}

/** An attempt at the activity has failed, and it is tried again. */
export async function isRetried(handle: Described, activity: string): Promise<boolean> {
  return (await pendingActivities(handle)).some(
    ({ name, lastFailure }) => name === activity && lastFailure !== undefined,
  );
}

/** Neither an activity nor a workflow task: it sleeps, or is closed. */
export async function isAsleep(handle: Described): Promise<boolean> {
  const { raw, status } = await handle.describe();
  if (status.name !== 'RUNNING') return true;
  return (raw.pendingActivities ?? []).length === 0 && raw.pendingWorkflowTask == null;
}
