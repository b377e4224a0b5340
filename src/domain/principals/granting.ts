/** Which credentials somebody may make for others at the gateway, so that nobody gets more than they have. Pure. */
import type { Principal } from './principal.js';
import { isSameOperator } from './principal.js';
import { isRouteScope, scopeRules } from './scopes.js';

/** Scopes by which two people are counted. Whoever could hand them to somebody of their own invention would be both. */
// guard: principals: nobody gives another person what counts people
const counted = ['breaker:propose', 'breaker:approve'];

/**
 * The scopes of apps and hooks may be given by everybody who manages credentials. Scopes of operators only by those who hold them, and those
 * that count people only to oneself: for somebody else, such a credential is made at the installation.
 * @returns what is wrong, with the way out, or `undefined`
 */
export function grantProblem(
  giver: Principal,
  credential: { readonly owner: string; readonly scopes: readonly string[] },
): string | undefined {
  // guard: principals: nobody gives a scope that they lack
  const beyond = credential.scopes.filter((scope) => isOperators(scope) && !giver.scopes.includes(scope));
  if (beyond.length > 0) {
    return `scopes: you do not hold ${beyond.join(', ')} yourself, so you can't give it. ${wayOut}`;
  }
  const people = credential.scopes.filter((scope) => counted.includes(scope));
  if (people.length > 0 && !isSameOperator(giver, credential)) {
    return `owner: ${people.join(', ')} can be given to yourself only (owner ${giver.owner}), or one person could be two. ${wayOut}`;
  }
  return undefined;
}

const wayOut = 'Make the credential at the installation: dormouse server credentials';

function isOperators(scope: string): boolean {
  return isRouteScope(scope) && scopeRules[scope].side !== 'public';
}
