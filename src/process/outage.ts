/** Tells one record that fails from a system that is away: a sweep passes over the first, and stops at the second. */
import { StepError } from './step-error.js';

/** Failures in a row after which a system counts as away. */
const failuresInARow = 5;

/** For a sweep that asks an outside system for one record after the other. */
export class OutageWatch {
  private inARow = 0;

  succeeded(): void {
    this.inARow = 0;
  }

  /** @returns whether a system is away: what is left waits for the next sweep */
  failed(error: unknown): boolean {
    // guard: records that fail are no outage
    if (concernsOne(error)) return false;
    this.inARow += 1;
    return this.inARow >= failuresInARow;
  }
}

/**
 * Whether the error says nothing about the next record: the system answered, and this record is refused, can't be read, or its mailbox
 * takes no mail. Any number of such records, in any order, must not keep a sweep from the others.
 */
export function concernsOne(error: unknown): boolean {
  return error instanceof StepError && (error.concernsOne || error.nonRetryable);
}
