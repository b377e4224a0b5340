/** The reason of a decision, in a request's body. */
import { z } from 'zod';
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import { InvalidRequestError } from '../process/caller-errors.js';

/** The field of a body, so that a dry run refuses what the decision would. */
export const reasonText = z.string().superRefine((text, context) => {
  const problem = reasonProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** @returns it in its normal form. @throws InvalidRequestError that names the field */
export function checkedReason(reason: string): string {
  const problem = reasonProblem(reason);
  if (problem !== undefined) throw new InvalidRequestError(`reason: ${problem}`);
  return normalText(reason);
}
