/**
 * Why a step failed, for those who decide what comes of it: it is tried again with back-off, or parked for an operator. Knows nothing of
 * Temporal; where an activity ends, worker/step-failures.ts makes a failure of it.
 */

import type { ErrorType } from '../domain/error-types.js';
import { given } from '../domain/given.js';

interface StepErrorOptions {
  /** No retry mends it. */
  readonly nonRetryable: boolean;
  /** The least pause before the next attempt, milliseconds, where the other side asked for one. */
  readonly nextRetryDelay?: number;
  /** The HTTP status that said so, where one did. */
  readonly status?: number;
}

/** The message holds no personal data: it goes to logs and histories. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly nonRetryable: boolean;
  readonly nextRetryDelay: number | undefined;
  readonly status: number | undefined;

  constructor(
    readonly type: ErrorType,
    message: string,
    { nonRetryable, nextRetryDelay, status }: StepErrorOptions,
  ) {
    super(message);
    this.nonRetryable = nonRetryable;
    this.nextRetryDelay = nextRetryDelay;
    this.status = status;
  }
}

/** What is tried again with back-off. @param afterMs the least pause before it, milliseconds */
export function tryAgain(type: ErrorType, message: string, afterMs?: number): StepError {
  return new StepError(type, message, {
    nonRetryable: false,
    ...given({ nextRetryDelay: afterMs }),
  });
}

/** What no retry mends; the workflow parks the step. @param status the HTTP status that said so, where one did */
export function giveUp(type: ErrorType, message: string, status?: number): StepError {
  return new StepError(type, message, { nonRetryable: true, ...given({ status }) });
}
