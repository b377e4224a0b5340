/** Makes personal access tokens: the only place that ever has one in hand, and it hands it out once. */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import {
  acceptRequest,
  type RequestProblem,
  type TokenRequest,
} from '../../domain/tokens/personal-request.js';
import { formatPersonalToken, randomBytesOf } from '../../domain/tokens/personal-token.js';
import { judgeToken } from '../../domain/tokens/personal-verdict.js';
import { insertToken, readToken, rotateRow, type StoredToken } from './personal-tokens-table.js';

/** What is in force where a token is made. */
export interface Issuer {
  readonly pool: pg.Pool;
  readonly policy: PersonalTokensPolicy;
  /** The published policy that the sweep judges by; absent: the app's own. */
  readonly policyId?: string;
  /** Random bytes, for tests. Default: of the operating system. */
  readonly random?: (length: number) => Uint8Array;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A new token, in clear: it is kept nowhere and can't be shown again. */
export interface IssuedToken {
  readonly token: string;
  readonly stored: StoredToken;
}

export type Issued =
  | { readonly kind: 'issued'; readonly issued: IssuedToken }
  | { readonly kind: 'refused'; readonly problem: RequestProblem }
  /** The person has as many live tokens as the policy allows. */
  | { readonly kind: 'too-many'; readonly atMost: number }
  /** The identity was deleted: no token is made for it any more. */
  | { readonly kind: 'owner-deleted' };

export interface TokenOwnerRequest {
  readonly identityId: string;
  readonly roles: readonly string[];
  /** Opaque id of whoever creates the token. */
  readonly actor: string;
}

/** The form in which a token is stored and looked up. */
export function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

export async function createToken(
  issuer: Issuer,
  { identityId, roles, actor }: TokenOwnerRequest,
  request: TokenRequest,
): Promise<Issued> {
  const { pool, policy, policyId, now } = issuer;
  const outcome = acceptRequest(policy, request, roles, now);
  if ('problem' in outcome) return { kind: 'refused', problem: outcome.problem };
  const token = newToken(issuer);
  const tokenId = randomUUID();
  const insertion = await insertToken(
    pool,
    {
      ...{ tokenId, identityId, roles, actor, hash: hashOf(token), atMost: policy.atMost },
      ...outcome.accepted,
      ...given({ policyId }),
    },
    now,
  );
  if (insertion === 'too-many') return { kind: 'too-many', atMost: policy.atMost };
  if (insertion === 'owner-deleted') return { kind: 'owner-deleted' };
  return { kind: 'issued', issued: { token, stored: await mustRead(pool, tokenId) } };
}

export type Rotated =
  | { readonly kind: 'issued'; readonly issued: IssuedToken }
  /** There is no such token, it is another person's, or it ended. */
  | { readonly kind: 'none' };

/**
 * Puts a new token in the place of a live one, which ends in the same moment. Name, type and scopes stay; the new one lives as long as
 * the old one was to live, and no longer than the policy allows now.
 * @param which `identityId` absent: whoever's token it is
 */
export async function rotateToken(
  issuer: Issuer,
  which: { readonly tokenId: string; readonly identityId?: string; readonly actor: string },
): Promise<Rotated> {
  const { pool, policy, now } = issuer;
  const old = await readToken(pool, which.tokenId);
  if (old === undefined) return { kind: 'none' };
  const limits = personalLimits(policy, old);
  // A token that is over a limit, though no sweep has ended it yet, must not come back by rotation.
  // guard: tokens: what is over a limit does not come back by rotation
  if (judgeToken(old, limits, old.owner, policy, now).state === 'refused') return { kind: 'none' };
  const lifetimes = [
    ...(old.expiresAt === undefined ? [] : [old.expiresAt - old.createdAt]),
    ...(limits.lifetimeMs === null ? [] : [limits.lifetimeMs]),
  ];
  const expiresAt = lifetimes.length === 0 ? undefined : now + Math.min(...lifetimes);
  const token = newToken(issuer);
  const newTokenId = randomUUID();
  const isRotated = await rotateRow(
    pool,
    { ...which, newTokenId, hash: hashOf(token), ...given({ expiresAt }) },
    now,
  );
  if (!isRotated) return { kind: 'none' };
  return { kind: 'issued', issued: { token, stored: await mustRead(pool, newTokenId) } };
}

function newToken({ policy, random = randomBytes }: Issuer): string {
  return formatPersonalToken(policy.prefix, random(randomBytesOf));
}

async function mustRead(pool: pg.Pool, tokenId: string): Promise<StoredToken> {
  const stored = await readToken(pool, tokenId);
  if (stored === undefined) throw new Error('a token was deleted as it was made');
  return stored;
}
