/**
 * Wakes lifecycles that the breaker no longer holds, whoever released them, so that none has to wait for the daily look.
 */
import type { WorkflowClient } from '@temporalio/client';
import pLimit from 'p-limit';
import type pg from 'pg';
import { type PassReports, type Running, startPasses } from '../process/passes.js';
import { wakeLifecycle } from '../process/wake-lifecycle.js';
import { takeReleased } from './wakes-table.js';

export interface ReleaseWakeOptions {
  readonly pool: pg.Pool;
  readonly workflows: Pick<WorkflowClient, 'getHandle'>;
  /** Most identities per pass. */
  readonly atMost?: number;
}

const everyMs = 5_000;
/**
 * With one pass every five seconds, this is 50 a second from each worker: above the rate of acts that Kratos
 * takes, far below the rate of signals that Temporal takes.
 */
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
          if (await wakeLifecycle(workflows, identityId)) woken += 1;
        } catch {
          failed += 1;
        }
      }),
    ),
  );
  return { woken, failed };
}

/** Wakes at once and then every five seconds, also after failures. */
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
