/**
 * The closed list of scopes: what a credential may do at the gateway, one sentence each. Pure.
 *
 * A scope covers itself and nothing else; there are no wildcards. One exception is named: `signs:write` covers `signs:write:<source>`
 * for every source.
 */
import { opaqueNamePattern } from '../names.js';

/** Where routes of a scope are reached: from outside, by operators only, or at both addresses. */
export type Side = 'public' | 'operators' | 'both';

interface ScopeRule {
  readonly does: string;
  readonly side: Side;
}

export const scopeRules = {
  'signs:write': {
    does: 'reports signs of life from any source; signs:write:<source> only from that source',
    side: 'public',
  },
  'standing:read': {
    does: 'reads where an identity stands, and since when its credentials are void',
    side: 'both',
  },
  'identities:enrol': { does: 'starts lifecycles, and lets them look again', side: 'both' },
  'identities:operate': {
    does: 'brings identities back, moves them to another policy, decides about parked steps and events, and revokes personal access tokens',
    side: 'operators',
  },
  'holds:place': { does: 'sets and ends holds', side: 'operators' },
  'exemptions:decide': { does: 'sets, reviews and ends exemptions', side: 'operators' },
  'worklist:read': { does: 'reads what waits for a decision', side: 'operators' },
  'breaker:read': { does: 'reads what the breaker stopped, and why', side: 'operators' },
  'breaker:propose': {
    does: 'trips the breaker, or proposes to release it, and counts as one operator',
    side: 'operators',
  },
  'breaker:approve': { does: 'agrees to a release that another operator proposed', side: 'operators' },
  'policy:read': {
    does: 'reads policies, and previews and simulates what another one would do',
    side: 'operators',
  },
  'policy:publish': {
    does: 'publishes policies, rolls them back, and decides about their roll-outs',
    side: 'operators',
  },
  'audit:read': {
    does: 'reads the audit log, the proof of mails, events for other systems, and lists of personal access tokens',
    side: 'operators',
  },
  'credentials:manage': {
    does: 'creates, rotates and revokes credentials, and makes and rotates personal access tokens of identities',
    side: 'operators',
  },
  'addresses:read': { does: 'finds identities by their e-mail address', side: 'operators' },
  'api:read': { does: 'reads the description of the routes (OpenAPI)', side: 'both' },
  'tokens:serve': {
    does: 'issues, exchanges, lists and ends refresh tokens for an app',
    side: 'public',
  },
  'mail:report': { does: 'reports mails that came back', side: 'public' },
  'hooks:kratos': { does: 'is Kratos: reports sign-ins, and asks before a registration', side: 'public' },
  'hooks:hydra': { does: 'is Hydra: asks before it issues a token', side: 'public' },
} as const satisfies Readonly<Record<string, ScopeRule>>;

/** A scope that a route names. */
export type RouteScope = keyof typeof scopeRules;
/** A scope that a credential holds. */
export type Scope = RouteScope | `signs:write:${string}`;

export const routeScopes = Object.keys(scopeRules).filter(isRouteScope);

const ofSource = 'signs:write:';

export function isRouteScope(text: string): text is RouteScope {
  return Object.hasOwn(scopeRules, text);
}

/** Whether the text is a scope that a credential can hold. Exact in case; no wildcards, no blanks, no control characters. */
export function isScope(text: string): text is Scope {
  if (isRouteScope(text)) return true;
  // guard: principals: a scope is one of the list
  return text.startsWith(ofSource) && opaqueNamePattern.test(text.slice(ofSource.length));
}

/** @returns what is wrong with the scopes of a credential, or `undefined`. Repeats no text that is not a scope */
export function scopesProblem(texts: readonly string[]): string | undefined {
  if (texts.length === 0) return 'a credential needs at least one';
  if (texts.length > mostScopes) return `takes ${mostScopes} at most`;
  const wrong = texts.findIndex((text) => !isScope(text));
  if (wrong === -1) return undefined;
  return `number ${wrong + 1} is no scope. The scopes are ${routeScopes.join(', ')}, and ${ofSource}<source>; there are no wildcards`;
}

const mostScopes = 50;

/** Whether somebody with these scopes may call a route of this scope. For `signs:write`, one source is enough: each sign is checked by {@link mayWriteSigns}. */
export function covers(held: readonly string[], wanted: RouteScope): boolean {
  if (held.includes(wanted)) return true;
  return wanted === 'signs:write' && held.some((scope) => scope.startsWith(ofSource) && isScope(scope));
}

/** Whether somebody with these scopes may report signs of life from this source. */
export function mayWriteSigns(held: readonly string[], source: string): boolean {
  // guard: principals: a source is the whole source
  return held.includes('signs:write') || held.includes(`${ofSource}${source}`);
}

/** Whether routes of this scope are served at an address. */
export function isServedAt(scope: RouteScope, side: Side): boolean {
  const { side: own }: ScopeRule = scopeRules[scope];
  return own === 'both' || side === 'both' || own === side;
}
