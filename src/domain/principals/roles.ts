/** The roles of people who sign in by OIDC, each a set of scopes. A role holds what the role before it holds. Pure. */
import type { RouteScope } from './scopes.js';

const viewer = [
  'standing:read',
  'worklist:read',
  'breaker:read',
  'policy:read',
  'audit:read',
  'api:read',
] as const satisfies RouteScope[];
const operator = [
  ...viewer,
  'identities:enrol',
  'identities:operate',
  'holds:place',
  'exemptions:decide',
  'breaker:propose',
] as const satisfies RouteScope[];
const approver = [...operator, 'breaker:approve'] as const satisfies RouteScope[];
const admin = [
  ...approver,
  'policy:publish',
  'credentials:manage',
  'addresses:read',
] as const satisfies RouteScope[];

export const roleScopes = { viewer, operator, approver, admin } as const;
export type Role = keyof typeof roleScopes;
export const roles = ['viewer', 'operator', 'approver', 'admin'] as const satisfies readonly Role[];

/** @returns the scopes of several roles together, each once */
export function scopesOf(held: readonly Role[]): RouteScope[] {
  return [...new Set(held.flatMap((role): readonly RouteScope[] => roleScopes[role]))];
}
