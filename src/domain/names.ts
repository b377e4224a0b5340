/** Rules for names that enter history or the audit log: short, and unable to hold an address. Pure. */

import { textProblem } from './free-text.js';

/** The id of a policy, as in the policy file. */
export const policyIdPattern = /^[a-z][a-z0-9-]{0,31}$/;

/** An operator, a program, or the source of a sign of life: an opaque name, never an e-mail address. */
export const opaqueNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

/** A request's id becomes an update's id and a part of the audit event's name, so it must hold nothing personal. */
export const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;
export const requestIdForm = 'takes at most 100 letters, digits and . _ : / -, without personal data';

/** The largest version that a policy can have: PostgreSQL's `integer`. */
export const highestVersion = 2_147_483_647;

/**
 * Reserved actors: the engine itself, a person who followed a link in a mail, and whoever cancelled a workflow in
 * Temporal, which does not say who.
 */
export const engineActor = 'engine';
export const selfServiceActor = 'self-service';
export const temporalActor = 'temporal';
const reservedActors: readonly string[] = [engineActor, selfServiceActor, temporalActor];

/** @returns what is wrong with the name of an actor, or `undefined`. No caller may use a reserved name */
export function actorProblem(actor: unknown): string | undefined {
  if (typeof actor !== 'string' || !opaqueNamePattern.test(actor)) {
    return 'must be an opaque id of at most 64 letters, digits and . _ : / - (an identity id, a service name), never an e-mail address';
  }
  return reservedActors.includes(actor.toLowerCase())
    ? `"${actor.toLowerCase()}" is a name that only Dormouse writes. Pass your own id`
    : undefined;
}

/** How the names of principals begin: whoever is one shows a credential, and cannot just say so. */
const principalPrefixes: readonly string[] = ['config:', 'credential:', 'oidc:'];

/** Whether the text claims to be a principal of the gateway (docs/principals.md). */
export function claimsPrincipal(actor: string): boolean {
  return principalPrefixes.some((prefix) => actor.toLowerCase().startsWith(prefix));
}

const longestReason = 200;

/**
 * @returns what is wrong with an operator's reason, or `undefined`. Never repeats the
 * reason: it could hold personal data
 */
export function reasonProblem(reason: unknown): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return 'is empty. Say why, for those who ask later';
  const problem = textProblem(reason, { characters: longestReason });
  if (problem !== undefined) return problem;
  // NFKC also finds an address written with a full-width or small commercial at.
  return reason.normalize('NFKC').includes('@')
    ? 'looks like it holds an e-mail address. Name people by opaque ids'
    : undefined;
}
