/** The reason of a decision, in a request's body. */
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import { InvalidRequestError } from '../process/caller-errors.js';

/** @returns it in its normal form. @throws InvalidRequestError that names the field */
export function checkedReason(reason: string): string {
  const problem = reasonProblem(reason);
  if (problem !== undefined) throw new InvalidRequestError(`reason: ${problem}`);
  return normalText(reason);
}
