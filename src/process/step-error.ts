/**
 * Why a step failed, which decides what follows: a retry with back-off, or parking for an operator. Knows
 * nothing of Temporal. At the end of an activity, worker/step-failures.ts turns it into a failure.
 */

import type { ErrorType } from '../domain/error-types.js';
import { given } from '../domain/given.js';

interface StepErrorOptions {
  /** A retry does not help. */
  readonly nonRetryable: boolean;
  /** The least pause before the next attempt, milliseconds, where the other side asked for one. */
  readonly nextRetryDelay?: number;
  /** The HTTP status behind the error, where there was one. */
  readonly status?: number;
  /** The trouble is that of one record or one mailbox: the same call for others may succeed. */
  readonly concernsOne?: boolean;
}

/** The message holds no personal data: it goes to logs and histories. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly nonRetryable: boolean;
  readonly nextRetryDelay: number | undefined;
  readonly status: number | undefined;
  readonly concernsOne: boolean;

  constructor(
    readonly type: ErrorType,
    message: string,
    { nonRetryable, nextRetryDelay, status, concernsOne }: StepErrorOptions,
  ) {
    super(message);
    this.nonRetryable = nonRetryable;
    this.nextRetryDelay = nextRetryDelay;
    this.status = status;
    this.concernsOne = concernsOne ?? false;
  }
}

/**
 * An error after which the step is retried with back-off.
 * @param afterMs the least pause before it, milliseconds
 */
export function tryAgain(type: ErrorType, message: string, afterMs?: number): StepError {
  return new StepError(type, message, {
    nonRetryable: false,
    ...given({ nextRetryDelay: afterMs }),
  });
}

/** An error of one record or one mailbox. The step is retried, and a sweep continues with the others. */
export function tryOneAgain(type: ErrorType, message: string): StepError {
  return new StepError(type, message, { nonRetryable: false, concernsOne: true });
}

/**
 * An error that no retry fixes, so the workflow parks the step.
 * @param status the HTTP status behind it, where there was one
 */
export function giveUp(type: ErrorType, message: string, status?: number): StepError {
  return new StepError(type, message, { nonRetryable: true, ...given({ status }) });
}
