/** Whether an access token is good at a moment, when it ends, and why it is not. Pure. */
import type { Stage } from '../rungs.js';
import { routesAbove } from '../sessions/paths.js';
import { wholeSecond } from '../whole-second.js';
import type { AccessClaims } from './access-claims.js';
import type { AccessTokensPolicy } from './access-policy.js';

/** Why a token whose signature holds is refused. */
export type AccessEnd =
  /** Nobody used it for too long. */
  | 'idle'
  /** Its own `exp`. */
  | 'expired'
  /** It is older than the policy lets any token be, or says that it will be. */
  | 'lifetime'
  /** `nbf`, `iat` or `auth_time` lies in the future. */
  | 'not_yet'
  /** The person's tokens of before were revoked, or this session or token was. */
  | 'revoked'
  /** The account is suspended, deactivated or deleted. */
  | 'stage';

/** What a person is told of an end: nobody used it, its time was over, somebody ended it, or something is wrong with the token. */
export type EndKind = 'idle' | 'time' | 'revoked' | 'error';

export const endKinds: Readonly<Record<AccessEnd, EndKind>> = {
  idle: 'idle',
  expired: 'time',
  lifetime: 'time',
  not_yet: 'error',
  revoked: 'revoked',
  stage: 'revoked',
};

export interface GoodToken {
  readonly state: 'good';
  /** Epoch milliseconds. */
  readonly idleEndsAt: number;
  readonly endsAt: number;
  readonly idleMs: number;
  /** The rule of the idle limit: `idle`, `routes:/billing`, `roles:admin` or `subject`. */
  readonly rule: string;
}

export interface RefusedToken {
  readonly state: 'refused';
  readonly reason: AccessEnd;
  /** When the limit was reached, epoch milliseconds. */
  readonly endedAt: number;
  readonly rule?: string;
}

export type AccessVerdict = GoodToken | RefusedToken;

/** What is known of the token's session or of the token itself. */
export interface TokenUse {
  /** Epoch milliseconds. */
  readonly lastUsedAt: number;
  readonly ended?: { readonly at: number; readonly reason: 'idle' | 'revoked' };
}

/** What is known of the subject. A field is absent where nothing was ever written. */
export interface SubjectStanding {
  readonly stage?: Stage;
  /** Since when the stage holds, epoch milliseconds. */
  readonly since?: number;
  /** Tokens of sign-ins before this moment are void, epoch milliseconds. */
  readonly notBefore?: number;
}

export interface IdleLimit {
  readonly ms: number;
  readonly rule: string;
}

/** The strictest of all, of the routes above the path, of roles, and of the subject's own. */
export function idleLimitOf(
  policy: AccessTokensPolicy,
  asked: {
    readonly path: string;
    readonly roles: readonly string[];
    readonly subjectMs?: number | undefined;
  },
): IdleLimit {
  const candidates: IdleLimit[] = [
    { ms: policy.idle, rule: 'idle' },
    ...routesAbove(policy.routes, asked.path).map(([route, ms]) => ({ ms, rule: `routes:${route}` })),
    ...asked.roles.flatMap((role) => {
      const ms = Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined;
      return ms === undefined ? [] : [{ ms, rule: `roles:${role}` }];
    }),
    ...(asked.subjectMs === undefined ? [] : [{ ms: asked.subjectMs, rule: 'subject' }]),
  ];
  return candidates.reduce((strictest, one) => (one.ms < strictest.ms ? one : strictest));
}

/**
 * By the token's own times alone. A life that the policy does not allow is refused from the first request where the token slides, and
 * where it does not say when it was issued: nothing else bounds it then.
 * @returns `undefined`: they are all right
 */
export function endByTime(
  claims: AccessClaims,
  { lifetime, sliding, leeway }: AccessTokensPolicy,
  now: number,
): RefusedToken | undefined {
  const { expiresAt, issuedAt, notBefore, authenticatedAt } = claims;
  const starts = [notBefore, issuedAt, authenticatedAt].filter((at): at is number => at !== undefined);
  const latestStart = Math.max(...starts);
  if (latestStart > now + leeway) return { state: 'refused', reason: 'not_yet', endedAt: latestStart };
  if (now >= expiresAt) return { state: 'refused', reason: 'expired', endedAt: expiresAt };
  if (issuedAt === undefined) {
    // guard: access tokens: one without an issue is bounded by what is left of it
    return expiresAt - now > lifetime ? { state: 'refused', reason: 'lifetime', endedAt: now } : undefined;
  }
  if (sliding && expiresAt - issuedAt > lifetime) {
    return { state: 'refused', reason: 'lifetime', endedAt: issuedAt };
  }
  // guard: access tokens: a token is young by its issue, not by the request
  const oldestAt = Math.min(issuedAt, now) + lifetime;
  return now >= oldestAt ? { state: 'refused', reason: 'lifetime', endedAt: oldestAt } : undefined;
}

/**
 * When a token counts as used first: its issue or the sign-in behind it, whichever is later. A token that does not say when it was
 * issued counts from the earliest issue that its `exp` allows.
 * @returns epoch milliseconds
 */
export function startOf(
  { issuedAt, authenticatedAt, expiresAt }: AccessClaims,
  { lifetime }: AccessTokensPolicy,
  now: number,
): number {
  const issued = issuedAt ?? authenticatedAt ?? expiresAt - lifetime;
  return Math.min(now, Math.max(issued, authenticatedAt ?? issued));
}

/** By the last use, and by what became of the subject. Times in the future lengthen nothing. */
export function judgeToken(
  claims: AccessClaims,
  known: { readonly use: TokenUse; readonly standing: SubjectStanding; readonly limit: IdleLimit },
  policy: AccessTokensPolicy,
  now: number,
): AccessVerdict {
  const byTime = endByTime(claims, policy, now);
  if (byTime !== undefined) return byTime;
  const { use, standing, limit } = known;
  const revokedAt = standing.notBefore;
  if (revokedAt !== undefined && isFromBefore(claims, revokedAt)) {
    return { state: 'refused', reason: 'revoked', endedAt: revokedAt };
  }
  if (isBarred(standing, claims))
    return { state: 'refused', reason: 'stage', endedAt: standing.since ?? now };
  const { ended, lastUsedAt } = use;
  if (ended !== undefined) return { state: 'refused', reason: ended.reason, endedAt: ended.at };
  const idleEndsAt = Math.min(lastUsedAt, now) + limit.ms;
  if (now >= idleEndsAt) {
    return { state: 'refused', reason: 'idle', endedAt: idleEndsAt, rule: limit.rule };
  }
  const endsAt = Math.min(claims.expiresAt, (claims.issuedAt ?? now) + policy.lifetime);
  return { state: 'good', idleEndsAt, endsAt, idleMs: limit.ms, rule: limit.rule };
}

/**
 * Of a token of an open session, its sign-in counts: a refresh is none. Issuers truncate to seconds, so that a sign-in right after the
 * moment would seem to be before it.
 */
function isFromBefore({ authenticatedAt, issuedAt }: AccessClaims, revokedAt: number): boolean {
  const from = authenticatedAt ?? issuedAt;
  return from === undefined || from < wholeSecond(revokedAt);
}

/** A fresh sign-in brings a suspended or revoked person back before the lifecycle has moved. */
function isBarred({ stage, since }: SubjectStanding, { authenticatedAt }: AccessClaims): boolean {
  switch (stage) {
    case 'deactivated':
    case 'deleted':
      return true;
    case 'suspended':
    case 'revoked':
      return authenticatedAt === undefined || since === undefined || authenticatedAt < wholeSecond(since);
    default:
      return false;
  }
}
