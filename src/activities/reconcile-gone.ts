/** Ends the lifecycles of identities that Kratos no longer has: not from outside, but by waking them to see for themselves. */
import type { IdentityApi } from '@ory/client';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type pg from 'pg';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { buryIdentity } from '../store/tombstones.js';
import { lookAgainSignal } from '../workflows/messages.js';
import { readIdentity } from './kratos-identity.js';

export interface GoneTools {
  readonly client: Client;
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly now: () => Promise<number>;
}

/**
 * Wakes the lifecycle of an identity that was not in a list. A list may err; the lifecycle's own look is what decides.
 * Where no lifecycle runs any more to do it, what PostgreSQL knew is buried here, once Kratos itself has said 404.
 */
export async function wakeOfGone(tools: GoneTools, identityId: string): Promise<void> {
  const handle = tools.client.workflow.getHandle(lifecycleWorkflowId(identityId));
  try {
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    if ((await readIdentity(tools.identities, identityId)) !== undefined) return;
    await buryIdentity(tools.pool, identityId, undefined, await tools.now());
  }
}
