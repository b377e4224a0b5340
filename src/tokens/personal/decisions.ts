/**
 * What operators decide about personal access tokens. Each is prepared first, which changes nothing and finds out what it can: a dry run
 * ends there. The audit log names the actor, in the transaction of the change.
 */
import type pg from 'pg';
import { isBuried } from '../../deletion/tombstones-table.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import {
  acceptRequest,
  type RequestProblem,
  type TokenRequest,
} from '../../domain/tokens/personal-request.js';
import { judgeToken } from '../../domain/tokens/personal-verdict.js';
import { databaseNow } from '../../postgres/database-now.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import { createToken, type IssuedToken, rotateToken } from './issue.js';
import { readToken, readTokensOf, revokeToken, type StoredToken } from './personal-tokens-table.js';
import { publishedSection } from './section.js';

export interface MadeToken {
  readonly tokenId: string;
  /** In clear: it is kept nowhere, and can't be shown again. */
  readonly token: string;
}

export interface WantedToken extends TokenRequest {
  readonly identityId: string;
  /** The published policy that it is made under. */
  readonly policyId: string;
  /** Of the identity, for the policy's ceilings. */
  readonly roles: readonly string[];
}

/** @returns what makes it, given the actor. @throws InvalidRequestError */
export async function prepareCreation(
  pool: pg.Pool,
  { identityId, policyId, roles, ...request }: WantedToken,
): Promise<(actor: string) => Promise<MadeToken>> {
  const policy = await publishedSection(pool, policyId);
  const outcome = acceptRequest(policy, request, roles, await databaseNow(pool));
  if ('problem' in outcome) throw refusal(outcome.problem);
  if (await isBuried(pool, identityId)) throw ownerDeleted();
  if ((await readTokensOf(pool, identityId)).length >= policy.atMost) throw tooMany(policy.atMost);
  return async (actor) => {
    const issuer = { pool, policy, policyId, now: await databaseNow(pool) };
    const made = await createToken(issuer, { identityId, roles, actor }, request);
    // Somebody else may have made one meanwhile.
    if (made.kind === 'refused') throw refusal(made.problem);
    if (made.kind === 'too-many') throw tooMany(made.atMost);
    if (made.kind === 'owner-deleted') throw ownerDeleted();
    return shownOnce(made.issued);
  };
}

/** @returns what puts another one in its place, given the actor. @throws InvalidRequestError */
export async function prepareRotation(
  pool: pg.Pool,
  tokenId: string,
): Promise<(actor: string) => Promise<MadeToken>> {
  const token = await knownToken(pool, tokenId);
  if (token.policyId === undefined) {
    throw new InvalidRequestError(
      "tokenId: the token is under an app's own policy. Rotate it there, or revoke it",
    );
  }
  const policy = await publishedSection(pool, token.policyId);
  const limits = personalLimits(policy, token);
  const verdict = judgeToken(token, limits, token.owner, policy, await databaseNow(pool));
  if (verdict.state === 'refused') throw notLive();
  return async (actor) => {
    const outcome = await rotateToken({ pool, policy, now: await databaseNow(pool) }, { tokenId, actor });
    if (outcome.kind === 'none') throw notLive();
    return shownOnce(outcome.issued);
  };
}

export interface RevokedToken {
  readonly tokenId: string;
  /** False: it had ended before. */
  readonly revoked: boolean;
}

/** @returns what ends it, given actor and reason. @throws InvalidRequestError */
export async function prepareRevocation(
  pool: pg.Pool,
  tokenId: string,
): Promise<(actor: string, reason: string) => Promise<RevokedToken>> {
  await knownToken(pool, tokenId);
  return async (actor, reason) => {
    const revoked = await revokeToken(pool, { tokenId, actor, reason }, await databaseNow(pool));
    return { tokenId, revoked };
  };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function knownToken(pool: pg.Pool, tokenId: string): Promise<StoredToken> {
  const token = uuid.test(tokenId) ? await readToken(pool, tokenId) : undefined;
  if (token !== undefined) return token;
  throw new InvalidRequestError(
    'tokenId: there is no token with this id. Take the id from: dormouse tokens list <identity>',
  );
}

const shownOnce = ({ token, stored }: IssuedToken): MadeToken => ({ tokenId: stored.tokenId, token });

const refusal = ({ field, message }: RequestProblem) => new InvalidRequestError(`${field}: ${message}`);
const tooMany = (atMost: number) =>
  new InvalidRequestError(`id: the identity has ${atMost} live tokens already. Revoke one first`);
const ownerDeleted = () =>
  new InvalidRequestError('id: the identity was deleted: no token is made for it any more');
const notLive = () => new InvalidRequestError('tokenId: the token is not live any more. Create another one');
