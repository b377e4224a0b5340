/** Free text in the body of a request: one line that reads as it was written (domain/free-text). */
import { z } from 'zod';
import { textProblem } from '../domain/free-text.js';

/** @param characters at most */
export const oneLine = (characters: number) =>
  z.string().superRefine((text, context) => {
    const problem = textProblem(text, { characters });
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
