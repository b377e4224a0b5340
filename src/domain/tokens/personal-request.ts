/** What a person may ask of a new personal access token. Pure. */
import { formatDuration } from '../duration.js';
import { normalText, textProblem } from '../free-text.js';
import { given } from '../given.js';
import { personalLimits } from './personal-limits.js';
import { type PersonalTokensPolicy, scopePattern, usualType } from './personal-policy.js';

export interface TokenRequest {
  /** For the person's own eyes: what the token is for. */
  readonly name: string;
  /** A type of the policy. Default `personal`. */
  readonly type?: string;
  /** Default: none. */
  readonly scopes?: readonly string[];
  /** Epoch milliseconds. Absent: the policy's ceiling, or never. */
  readonly expiresAt?: number;
}

export interface AcceptedRequest {
  readonly name: string;
  readonly type: string;
  readonly scopes: readonly string[];
  /** Absent: never. */
  readonly expiresAt?: number;
}

export interface RequestProblem {
  readonly field: 'name' | 'type' | 'scopes' | 'expiresAt';
  /** What is wrong, and the way out. Never repeats the name. */
  readonly message: string;
}

const longestName = 100;
const mostScopes = 50;
/** PostgreSQL and JSON keep later dates, and no reader expects them. */
const latestExpiry = Date.UTC(2200, 0, 1);

/** @param roles of the owner. @param now epoch milliseconds */
export function acceptRequest(
  policy: PersonalTokensPolicy,
  request: TokenRequest,
  roles: readonly string[],
  now: number,
): { readonly accepted: AcceptedRequest } | { readonly problem: RequestProblem } {
  const { name, type = usualType, scopes = [] } = request;
  const problem =
    nameProblem(name) ??
    typeProblem(policy, type) ??
    scopesProblem(scopesOf(policy, type), scopes) ??
    expiryProblem(request.expiresAt, now);
  if (problem !== undefined) return { problem };
  const { lifetimeMs, lifetimeRule } = personalLimits(policy, { type, roles });
  const latest = lifetimeMs === null ? undefined : now + lifetimeMs;
  const expiresAt = request.expiresAt ?? latest;
  if (latest !== undefined && expiresAt !== undefined && expiresAt > latest) {
    const message = `is later than the policy allows (${lifetimeRule}: ${formatDuration(lifetimeMs ?? 0)} from now). Ask for an earlier time, or leave it out`;
    return { problem: { field: 'expiresAt', message } };
  }
  return {
    accepted: { name: normalText(name.trim()), type, scopes: [...scopes].sort(), ...given({ expiresAt }) },
  };
}

/** The scopes that a token of a type may have. */
export function scopesOf(policy: PersonalTokensPolicy, type: string): readonly string[] {
  const ofType = Object.hasOwn(policy.types, type) ? policy.types[type] : undefined;
  return ofType?.scopes ?? policy.scopes;
}

function nameProblem(name: string): RequestProblem | undefined {
  const message =
    name.trim() === ''
      ? 'is empty. Say what the token is for'
      : textProblem(name, { characters: longestName });
  return message === undefined ? undefined : { field: 'name', message };
}

function typeProblem({ types }: PersonalTokensPolicy, type: string): RequestProblem | undefined {
  // guard: tokens: a type that is not the policy’s own is no type
  if (type === usualType || Object.hasOwn(types, type)) return undefined;
  const known = [...new Set([usualType, ...Object.keys(types)])].join(', ');
  return { field: 'type', message: `is not a type of the policy. Choose one of: ${known}` };
}

function scopesProblem(allowed: readonly string[], asked: readonly string[]): RequestProblem | undefined {
  const at = (message: string): RequestProblem => ({ field: 'scopes', message });
  if (asked.length > mostScopes) return at(`holds more than ${mostScopes} scopes. Ask for fewer`);
  if (new Set(asked).size < asked.length) return at('names a scope twice. Name each once');
  const unknown = asked.find((scope) => !allowed.includes(scope));
  if (unknown === undefined) return undefined;
  const what = scopePattern.test(unknown) ? `"${unknown}"` : 'one of them';
  const offered = allowed.length === 0 ? 'The policy names none' : `There are: ${allowed.join(', ')}`;
  return at(`${what} is not a scope that such a token may have. ${offered}`);
}

function expiryProblem(expiresAt: number | undefined, now: number): RequestProblem | undefined {
  const at = (message: string): RequestProblem => ({ field: 'expiresAt', message });
  if (expiresAt === undefined) return undefined;
  if (!Number.isFinite(expiresAt)) return at('is not a time. Write it as 2027-01-31T00:00:00Z');
  if (expiresAt <= now) return at('is in the past. Choose a time that is still to come, or leave it out');
  return expiresAt > latestExpiry ? at('is after the year 2199. Choose an earlier time') : undefined;
}
