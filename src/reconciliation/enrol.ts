/** Starts the lifecycles of one page of identities, at a set rate. */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import pLimit from 'p-limit';
import { InvalidIdentityIdError, lifecycleWorkflowId } from '../domain/identity-id.js';
import { jitterFor } from '../domain/jitter.js';
import type { Pacer } from '../process/pacer.js';
import { type LifecycleInput, lifecycleWorkflowType } from '../workflows/messages.js';
import type { ReconcileOptions } from '../workflows/reconcile-messages.js';

export interface EnrolTools {
  readonly client: Client;
  /** The task queue of the workflows. */
  readonly taskQueue: string;
  readonly startPacer: Pacer;
  /** Called after each identity, so that a slow page does not look dead. */
  readonly alive: () => void;
}

export interface EnrolOutcome {
  readonly started: number;
  readonly alreadyRunning: number;
  readonly failed: number;
}

type StartOutcome = keyof EnrolOutcome;

/** Starts running at once. More do not make the server faster (docs/architecture.md). */
const concurrentStarts = 16;

/**
 * Starts the lifecycles that don't run. Trouble with Temporal ends the page, which is then repeated:
 * lifecycles already started are found running. The lifecycle's own first look reads the latest sign of
 * life, so nothing is passed to it.
 */
export async function enrolPage(
  tools: EnrolTools,
  identityIds: readonly string[],
  options: Pick<ReconcileOptions, 'policyId' | 'spreadMs'>,
): Promise<EnrolOutcome> {
  const limit = pLimit(concurrentStarts);
  const starts = await Promise.allSettled(
    identityIds.map((identityId) =>
      limit(async () => {
        await tools.startPacer.turn();
        const outcome = await startLifecycle(tools, identityId, options);
        tools.alive();
        return outcome;
      }),
    ),
  );
  const outcome = { started: 0, alreadyRunning: 0, failed: 0 };
  for (const start of starts) {
    if (start.status === 'rejected') throw start.reason;
    outcome[start.value] += 1;
  }
  return outcome;
}

async function startLifecycle(
  { client, taskQueue }: EnrolTools,
  identityId: string,
  { policyId, spreadMs }: Pick<ReconcileOptions, 'policyId' | 'spreadMs'>,
): Promise<StartOutcome> {
  const input: LifecycleInput = { schemaVersion: 1, identityId, policy: { id: policyId } };
  const startDelay = jitterFor(identityId, 'enrol', spreadMs);
  try {
    await client.workflow.start(lifecycleWorkflowType, {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue,
      args: [input],
      staticSummary: 'Inactivity lifecycle of one identity',
      // Has the effect of USE_EXISTING, and tells whether this call started it.
      workflowIdConflictPolicy: 'FAIL',
      ...(startDelay === 0 ? {} : { startDelay }),
    });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'alreadyRunning';
    // No lifecycle can have this name. The error does not hold up the others.
    if (error instanceof InvalidIdentityIdError) return 'failed';
    throw error;
  }
}
