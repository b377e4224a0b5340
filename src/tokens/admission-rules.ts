/**
 * Whether an identity gets a token from the authorization server, and which signs of life that gives. Pure.
 */
import { assertUnreachable } from '../domain/assert.js';
import type { Stage } from '../domain/rungs.js';
import type { SignKind } from '../domain/sign-of-life.js';
import { wholeSecond } from '../domain/whole-second.js';

/** What is known of the identity. A field is absent where nothing was ever written. */
export interface TokenStanding {
  readonly stage?: Stage;
  /** Since when the identity is in this stage, epoch milliseconds. */
  readonly since?: number;
  /** Sessions and tokens from before this time are void, epoch milliseconds. */
  readonly notBefore?: number;
}

export interface TokenRequest {
  /** `authorization_code`: right after a sign-in. `refresh_token`. `other`: a token on a person's behalf. */
  readonly grant: 'authorization_code' | 'refresh_token' | 'other';
  /**
   * When the person signed in for this session, epoch milliseconds. The authorization
   * server truncates it to seconds.
   */
  readonly authenticatedAt?: number;
}

export type TokenAdmission =
  | { readonly allowed: true; readonly signs: readonly { kind: SignKind; at?: number }[] }
  /** A denied attempt is never a sign of life: a stolen refresh token must not keep an account alive. */
  | { readonly allowed: false; readonly why: 'stage' | 'revoked' };

/**
 * A fresh sign-in brings a suspended or revoked person back, so its tokens are granted before the lifecycle
 * has moved. After deactivation and deletion a sign-in is not enough, so no token is granted.
 */
export function admitToken(standing: TokenStanding, request: TokenRequest): TokenAdmission {
  // guard: token hook: what was revoked stays revoked
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

/** A code may come from a remembered sign-in: the person was present then, not now. */
function signsOf({ grant, authenticatedAt }: TokenRequest): { kind: SignKind; at?: number }[] {
  if (grant !== 'authorization_code' || authenticatedAt === undefined) return [{ kind: 'token' }];
  return [{ kind: 'token' }, { kind: 'human', at: authenticatedAt }];
}

/** A refresh without the start of its session can't prove that the session is younger than the revocation. */
function isFromBefore(notBefore: number | undefined, { grant, authenticatedAt }: TokenRequest): boolean {
  if (notBefore === undefined) return false;
  // guard: token hook: a refresh without the time of its sign-in is from before
  if (authenticatedAt === undefined) return grant === 'refresh_token';
  return authenticatedAt < wholeSecond(notBefore);
}

function isFreshSignIn(since: number | undefined, { grant, authenticatedAt }: TokenRequest): boolean {
  if (grant !== 'authorization_code' || authenticatedAt === undefined || since === undefined) return false;
  // guard: token hook: off the bottom only a fresh sign-in gets a token
  return authenticatedAt >= wholeSecond(since);
}
