/** Who calls the gateway, and how the audit log names them. Pure. */
import { actorProblem, claimsPrincipal, opaqueNamePattern } from '../names.js';

/** Somebody who showed a credential: what they may do, and who answers for it. */
export interface Principal {
  /** The actor of what they do: `config:<name>`, `credential:<name>` or `oidc:<issuer>:<subject>`. */
  readonly actor: string;
  /** Who answers for it: two credentials of one owner count as one operator. */
  readonly owner: string;
  readonly scopes: readonly string[];
}

/** The name of a credential. */
export const credentialNamePattern = /^[a-z][a-z0-9-]{0,31}$/;

export function credentialActor(name: string): string {
  return `credential:${name}`;
}

/** Whether both are the same operator, whichever credential each of them used. */
export function isSameOperator(one: Pick<Principal, 'owner'>, other: Pick<Principal, 'owner'>): boolean {
  return one.owner.toLowerCase() === other.owner.toLowerCase();
}

/** @returns what is wrong with the owner of a credential, or `undefined` */
export function ownerProblem(owner: string): string | undefined {
  const isSignedInPerson = opaqueNamePattern.test(owner) && owner.startsWith('oidc:');
  if (isSignedInPerson) return undefined;
  if (claimsPrincipal(owner)) {
    return 'is the name of a credential. Name the person or team that answers for it, as they are named with --actor, or oidc:<issuer>:<subject>';
  }
  return actorProblem(owner);
}
