/**
 * Wakes lifecycles that the breaker no longer holds, whoever released them, so that none has to wait for the daily look.
 */
import type { WorkflowClient } from '@temporalio/client';
import type pg from 'pg';
import { doEach, type PassReports, type Running, startPasses, unlessNothing } from '../process/passes.js';
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

/** One pass. @returns how many were woken, and how many could not be: these are taken again after an hour */
export async function wakeReleased({
  pool,
  workflows,
  atMost = atMostAPass,
}: ReleaseWakeOptions): Promise<{ woken: number; failed: number }> {
  const { done, failed } = await doEach(await takeReleased(pool, atMost), async (identityId) =>
    (await wakeLifecycle(workflows, identityId)) ? 1 : 0,
  );
  return { woken: done, failed };
}

/** Wakes at once and then every five seconds, also after failures. */
export function startReleaseWake(
  options: ReleaseWakeOptions & PassReports<{ woken: number; failed: number }>,
): Running {
  return startPasses({
    everyMs,
    pass: async () => unlessNothing(await wakeReleased(options)),
    ...options,
  });
}
