/** Carries out one step with bounded retries: it succeeds, a message interrupts it, or it is parked. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  TimeoutFailure,
} from '@temporalio/workflow';
import { type ErrorType, wayOut } from '../domain/error-types.js';
import { withParked } from '../domain/lifecycle/transitions.js';
import type { LifecycleRun } from './lifecycle-run.js';

export type StepEnd = 'done' | 'interrupted' | 'parked';

export interface StepOptions {
  /** Whether a sign of life or an operator's request may stop the step between two attempts. */
  readonly interruptible: boolean;
  /**
   * The error type to park the step with, where the failure comes from foreign code and may hold any text.
   */
  readonly failure?: ErrorType;
}

/**
 * Runs `work` under the name `step`. A running attempt always ends before this returns. A message interrupts
 * only the wait between attempts, so that a person who comes back during an outage is not held up.
 */
export async function carryOut(
  run: LifecycleRun,
  step: string,
  work: () => Promise<void>,
  options: StepOptions,
): Promise<StepEnd> {
  run.inProgress = step;
  run.show();
  try {
    await (options.interruptible ? unlessInterrupted(run, work) : CancellationScope.nonCancellable(work));
    return 'done';
  } catch (error) {
    if (isCancellation(error)) return 'interrupted';
    if (!(error instanceof ActivityFailure)) throw error;
    // guard: an attempt that fails when it was interrupted parks nothing
    if (wasInterrupted(error)) return 'interrupted';
    park(run, step, options.failure ?? typeOf(error));
    return 'parked';
  } finally {
    run.inProgress = undefined;
  }
}

/**
 * Runs `work` until a message wants attention. After that no new attempt begins. A running attempt is
 * awaited, and counts if it succeeds.
 * @throws CancelledFailure when it was interrupted
 */
export async function unlessInterrupted<T>(run: LifecycleRun, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope({ cancellable: true });
  let finished = false;
  // When the workflow itself is cancelled, the scope is cancelled too. This only waits for its end.
  const watching = CancellationScope.nonCancellable(async () => {
    await condition(() => finished || run.attention);
    // guard: a step that waits is interrupted
    if (!finished) scope.cancel();
  });
  try {
    return await scope.run(work);
  } finally {
    finished = true;
    await watching;
  }
}

/** Parks a step: it waits for an operator and holds nothing else up. */
export function park(run: LifecycleRun, step: string, errorType: string): void {
  const since = Date.now();
  run.state = withParked(run.state, { step, errorType, wayOut: wayOut(errorType), since });
  run.audit('step_parked', `${step}/${since}`, errorType, { detail: { step } });
}

/** Whether an attempt failed while it was being interrupted. Otherwise it would have been retried. */
function wasInterrupted({ retryState }: ActivityFailure): boolean {
  return retryState === 'CANCEL_REQUESTED' && patched('interrupted-attempt-may-fail');
}

/** Whether PostgreSQL refused the data for good (SQLSTATE class 22 or 23). */
export function isRefusedRecord(error: unknown): boolean {
  return error instanceof ActivityFailure && typeOf(error) === 'RecordRefused';
}

/** The stable type of the error that ended an activity. */
export function typeOf(error: ActivityFailure): string {
  const { cause } = error;
  if (cause instanceof ApplicationFailure) return cause.type ?? 'Unexpected';
  if (cause instanceof TimeoutFailure) {
    const system =
      error.activityType === 'endTokens'
        ? 'Hydra'
        : ['sendMail', 'followAddresses'].includes(error.activityType)
          ? 'Mail'
          : 'Kratos';
    return system === 'Mail' ? 'MailServerUnavailable' : `${system}Unavailable`;
  }
  return 'Unexpected';
}
