/** The text of a policy file in the body of a request. */
import { z } from 'zod';

/** Characters. The command line reads no larger file (read-file.ts). */
const longestText = 1_048_576;

export const policyText = z.string().max(longestText);

/** Bytes, for a route that takes {@link policyText}: a character takes four at most. */
export const policyTextBodyLimit = 4 * longestText;
