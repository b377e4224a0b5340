/**
 * Wakes those whom the breaker held and holds no more. The command that releases wakes some at once; whoever it missed, or was too many
 * for it, is woken here, so that nobody waits for the daily look.
 */
import { type WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import type pg from 'pg';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { type PassReports, type Running, startPasses } from '../process/passes.js';
import { lookAgainSignal } from '../workflows/messages.js';
import { takeReleased } from './wakes-table.js';

export interface ReleaseWakeOptions {
  readonly pool: pg.Pool;
  readonly workflows: Pick<WorkflowClient, 'getHandle'>;
  /** Identities a pass, at most. */
  readonly atMost?: number;
}

const everyMs = 5_000;
/** With one pass every five seconds, 50 a second from each worker: above what Kratos takes of acts, far below what Temporal takes of signals. */
const atMostAPass = 250;
const signalsAtOnce = 10;

/** One pass. @returns how many were woken, and how many could not be: these are taken again after an hour */
export async function wakeReleased({
  pool,
  workflows,
  atMost = atMostAPass,
}: ReleaseWakeOptions): Promise<{ woken: number; failed: number }> {
  const limit = pLimit(signalsAtOnce);
  let woken = 0;
  let failed = 0;
  const identityIds = await takeReleased(pool, atMost);
  await Promise.all(
    identityIds.map((identityId) =>
      limit(async () => {
        try {
          await workflows
            .getHandle(lifecycleWorkflowId(identityId))
            .signal(lookAgainSignal, { schemaVersion: 1 });
          woken += 1;
        } catch (error) {
          // One that runs no more waits for nothing: the reconciliation sees to it.
          if (!(error instanceof WorkflowNotFoundError)) failed += 1;
        }
      }),
    ),
  );
  return { woken, failed };
}

/** Wakes at once and then every five seconds, whatever fails. */
export function startReleaseWake(
  options: ReleaseWakeOptions & PassReports<{ woken: number; failed: number }>,
): Running {
  return startPasses({
    everyMs,
    pass: async () => {
      const outcome = await wakeReleased(options);
      return outcome.woken + outcome.failed > 0 ? outcome : undefined;
    },
    ...options,
  });
}
