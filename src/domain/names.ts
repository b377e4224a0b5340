/** What names may look like where they enter history or the audit log: short, and with no room for an address. Pure. */

/** The id of a policy, as in its file. */
export const policyIdPattern = /^[a-z][a-z0-9-]{0,31}$/;

/** An operator, a program, or the place where activity was seen: an opaque name, never an e-mail address. */
export const opaqueNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

const longestReason = 200;

/** @returns what is wrong with an operator's reason, or `undefined`; never repeats it, as it could hold personal data */
export function reasonProblem(reason: unknown): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return 'is empty. Say why, for those who ask later';
  if (reason.length > longestReason) return `is longer than ${longestReason} characters`;
  return reason.includes('@')
    ? 'looks like it holds an e-mail address. Name people by opaque ids'
    : undefined;
}

/** Who acts where somebody followed a link in a mail. */
export const selfServiceActor = 'self-service';
