/** The lifecycles that a test starts: their input, and whether they have something under way. */
import type { WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { identityLifecycle } from '../../../src/workflows/identity-lifecycle.js';
import type { LifecycleInput } from '../../../src/workflows/messages.js';

export type LifecycleHandle = WorkflowHandleWithSignaledRunId<typeof identityLifecycle>;

export type EnrolOptions = Omit<LifecycleInput, 'schemaVersion' | 'identityId' | 'policy'> & {
  /** Default: `default`. */
  readonly policyId?: string;
};

export function lifecycleInput(
  identityId: string,
  { policyId = 'default', ...rest }: EnrolOptions,
): LifecycleInput {
  return { schemaVersion: 1, identityId, policy: { id: policyId }, ...rest };
}

const { EventType } = proto.temporal.api.enums.v1;
/** What the history of a workflow ends with that has nothing under way; a task always ends with one of these. */
const restful: ReadonlySet<unknown> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

/** Read off the history: the skipping server's description does not show a task under way. */
export async function conditionOf(handle: LifecycleHandle): Promise<'busy' | 'asleep' | 'closed'> {
  const { raw, status } = await handle.describe();
  if (status.name !== 'RUNNING') return 'closed';
  if ((raw.pendingActivities ?? []).length > 0) return 'busy';
  return restful.has((await handle.fetchHistory()).events?.at(-1)?.eventType) ? 'asleep' : 'busy';
}
