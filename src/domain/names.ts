/** What names may look like where they enter history or the audit log: short, and with no room for an address. Pure. */

import { textProblem } from './free-text.js';

/** The id of a policy, as in its file. */
export const policyIdPattern = /^[a-z][a-z0-9-]{0,31}$/;

/** An operator, a program, or the place where activity was seen: an opaque name, never an e-mail address. */
export const opaqueNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

/** The largest version that a policy can have: PostgreSQL's `integer`. */
export const highestVersion = 2_147_483_647;

/** Who acts where nobody decided: the engine itself, and somebody who followed a link in a mail. */
export const engineActor = 'engine';
export const selfServiceActor = 'self-service';
const reservedActors: readonly string[] = [engineActor, selfServiceActor];

/** @returns what is wrong with the name of who decides, or `undefined`. The reserved ones can be claimed by nobody */
export function actorProblem(actor: unknown): string | undefined {
  if (typeof actor !== 'string' || !opaqueNamePattern.test(actor)) {
    return 'must be an opaque id of at most 64 letters, digits and . _ : / - (an identity id, a service name), never an e-mail address';
  }
  return reservedActors.includes(actor.toLowerCase())
    ? `"${actor.toLowerCase()}" is Dormouse itself. Pass your own id`
    : undefined;
}

const longestReason = 200;

/** @returns what is wrong with an operator's reason, or `undefined`; never repeats it, as it could hold personal data */
export function reasonProblem(reason: unknown): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return 'is empty. Say why, for those who ask later';
  const problem = textProblem(reason, { characters: longestReason });
  if (problem !== undefined) return problem;
  // NFKC finds the address that is written with a full-width or small commercial at.
  return reason.normalize('NFKC').includes('@')
    ? 'looks like it holds an e-mail address. Name people by opaque ids'
    : undefined;
}
