/** Whether an identity gets a token from the authorization server, and what of it counts as a sign of life. Pure. */
import { assertUnreachable } from '../domain/assert.js';
import type { Stage } from '../domain/rungs.js';
import type { ActivityKind } from '../domain/sign-of-life.js';

/** What is known of the identity; each part absent where nothing was ever written. */
export interface TokenStanding {
  readonly stage?: Stage;
  /** Since when it stands there, epoch milliseconds. */
  readonly since?: number;
  /** Sessions and tokens from before are void, epoch milliseconds. */
  readonly notBefore?: number;
}

export interface TokenRequest {
  /** `authorization_code`: right after a sign-in. `refresh_token`. `other`: a token on somebody's behalf. */
  readonly grant: 'authorization_code' | 'refresh_token' | 'other';
  /** When the person signed in for this session, epoch milliseconds; the authorization server cuts it to seconds. */
  readonly authenticatedAt?: number;
}

export type TokenAdmission =
  | { readonly allowed: true; readonly signs: readonly { kind: ActivityKind; at?: number }[] }
  /** A denied attempt is never activity: a stolen refresh token must not keep an account alive. */
  | { readonly allowed: false; readonly why: 'stage' | 'revoked' };

const second = 1_000;

/**
 * A fresh sign-in brings a suspended or revoked person back, so its tokens are granted before the lifecycle has moved.
 * After deactivation and deletion a sign-in is not enough, so nothing is.
 */
export function admitToken(standing: TokenStanding, request: TokenRequest): TokenAdmission {
  if (isFromBefore(standing.notBefore, request)) return { allowed: false, why: 'revoked' };
  switch (standing.stage) {
    case 'suspended':
    case 'revoked':
      return isFreshSignIn(standing.since, request)
        ? { allowed: true, signs: [{ kind: 'human' }] }
        : { allowed: false, why: 'stage' };
    case 'deactivated':
    case 'deleted':
      return { allowed: false, why: 'stage' };
    case 'active':
    case 'warned':
    case undefined:
      return { allowed: true, signs: signsOf(request) };
    default:
      return assertUnreachable(standing.stage);
  }
}

/** A code may be redeemed from a sign-in that is remembered: the person was there then, not now. */
function signsOf({ grant, authenticatedAt }: TokenRequest): { kind: ActivityKind; at?: number }[] {
  if (grant !== 'authorization_code' || authenticatedAt === undefined) return [{ kind: 'token' }];
  return [{ kind: 'token' }, { kind: 'human', at: authenticatedAt }];
}

/** A refresh that does not say when its session began can't show that it is younger than the revocation. */
function isFromBefore(notBefore: number | undefined, { grant, authenticatedAt }: TokenRequest): boolean {
  if (notBefore === undefined) return false;
  if (authenticatedAt === undefined) return grant === 'refresh_token';
  return authenticatedAt < wholeSecond(notBefore);
}

function isFreshSignIn(since: number | undefined, { grant, authenticatedAt }: TokenRequest): boolean {
  if (grant !== 'authorization_code' || authenticatedAt === undefined || since === undefined) return false;
  return authenticatedAt >= wholeSecond(since);
}

/** The other side of the comparison is cut to seconds, so a sign-in right after the moment would seem to be before it. */
function wholeSecond(at: number): number {
  return Math.floor(at / second) * second;
}
