/**
 * Table `personal_token`: one row for each personal access token, with the SHA-256 of the token and never the token itself. A live row
 * ends by a function of the owner, with its entry in the audit log; a row that ended never changes back (migration 037).
 */
import pg from 'pg';
import { given } from '../../domain/given.js';
import type { PolicyReference } from '../../domain/policy-reference.js';
import type { Stage } from '../../domain/rungs.js';
import type { TokenEnd, TokenOwner, TokenTimes } from '../../domain/tokens/personal-verdict.js';

/** The channel on which instances hear of tokens that ended and of owners whose standing changed. */
export const personalTokensChannel = 'dormouse_personal_tokens';

export interface StoredToken extends TokenTimes {
  readonly tokenId: string;
  readonly identityId: string;
  readonly type: string;
  /** As the person wrote it. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Of the owner, as they were last known: at the creation, or when the owner looked after the tokens. */
  readonly roles: readonly string[];
  /** The published policy that judges it; absent: the app's own. */
  readonly policyId?: string;
  readonly ended?: TokenEnd;
  /** Epoch milliseconds. */
  readonly endedAt?: number;
  readonly rotatedFrom?: string;
  readonly owner: TokenOwner;
}

interface Row {
  readonly token_id: string;
  readonly identity_id: string;
  readonly type: string;
  readonly name: string;
  readonly scopes: string[];
  readonly roles: string[];
  readonly policy_id: string | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly ended_at: Date | null;
  readonly ended_why: TokenEnd | null;
  readonly rotated_from: string | null;
  readonly stage: Stage | null;
  readonly blocked_by: string | null;
}

const stored = `
  SELECT token.token_id, token.identity_id, token.type, token.name, token.scopes, token.roles, token.policy_id, token.created_at,
    token.expires_at, token.last_used_at, token.ended_at, token.ended_why, token.rotated_from, standing.stage, standing.blocked_by
  FROM personal_token AS token LEFT JOIN standing USING (identity_id)`;

/**
 * Looks a token up. The time that this takes depends on the hash alone, and whoever does not know the token can't choose its hash.
 * @param hash SHA-256 of the token
 */
export async function findToken(pool: pg.Pool, hash: Buffer): Promise<StoredToken | undefined> {
  const { rows } = await pool.query<Row>(`${stored} WHERE token.hash = $1`, [hash]);
  return rows[0] && tokenOf(rows[0]);
}

export async function readToken(pool: pg.Pool, tokenId: string): Promise<StoredToken | undefined> {
  const { rows } = await pool.query<Row>(`${stored} WHERE token.token_id = $1`, [tokenId]);
  return rows[0] && tokenOf(rows[0]);
}

/** The live tokens of one identity, the newest first; with `ended`, those that ended as well, after them. At most 500, as many as may be live. */
export async function readTokensOf(
  pool: pg.Pool,
  identityId: string,
  { ended = false }: { readonly ended?: boolean } = {},
): Promise<StoredToken[]> {
  const { rows } = await pool.query<Row>(
    `${stored} WHERE token.identity_id = $1 AND ($2 OR token.ended_at IS NULL)
     ORDER BY token.ended_at IS NOT NULL, token.created_at DESC, token.token_id LIMIT 500`,
    [identityId, ended],
  );
  return rows.map(tokenOf);
}

export interface NewToken {
  readonly tokenId: string;
  readonly identityId: string;
  readonly type: string;
  readonly name: string;
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly policyId?: string;
  /** Epoch milliseconds; absent: without expiry. */
  readonly expiresAt?: number;
  /** Opaque id of whoever creates it: the owner, an operator, or an app. */
  readonly actor: string;
  /** Most live tokens of the identity. */
  readonly atMost: number;
}

export type Insertion = 'made' | 'too-many' | 'owner-deleted';

/**
 * @param now epoch milliseconds
 * @returns `too-many`: the identity has as many live tokens already. `owner-deleted`: it is buried
 */
export async function insertToken(pool: pg.Pool, token: NewToken, now: number): Promise<Insertion> {
  try {
    return (await insertRow(pool, token, now)) ? 'made' : 'too-many';
  } catch (error) {
    // The text of migration 037: its refusals have one code, and an app's role reads no tombstones.
    if (error instanceof pg.DatabaseError && error.message === 'the identity was deleted')
      return 'owner-deleted';
    throw error;
  }
}

async function insertRow(pool: pg.Pool, token: NewToken, now: number): Promise<boolean> {
  const { rows } = await pool.query<{ made: boolean }>(
    'SELECT personal_token_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS made',
    [
      token.tokenId,
      token.identityId,
      token.type,
      token.name,
      token.hash,
      token.scopes,
      token.roles,
      dateOf(token.expiresAt),
      token.policyId ?? null,
      token.actor,
      Math.floor(now),
      token.atMost,
    ],
  );
  return rows[0]?.made === true;
}

/** Puts the live tokens of an identity under its present roles. @param roles as known from a verified session */
export async function followRoles(
  pool: pg.Pool,
  identityId: string,
  roles: readonly string[],
): Promise<void> {
  await pool.query('SELECT personal_token_follow_roles($1, $2)', [identityId, roles]);
}

export interface Rotation {
  readonly tokenId: string;
  /** Only a token of this identity. Absent: whoever's it is. */
  readonly identityId?: string;
  readonly newTokenId: string;
  readonly hash: Buffer;
  /** Of the new one, epoch milliseconds; absent: without expiry. */
  readonly expiresAt?: number;
  readonly actor: string;
}

/** Ends a live token and inserts another one in its place. @returns false where there is no such live token */
export async function rotateRow(pool: pg.Pool, rotation: Rotation, now: number): Promise<boolean> {
  const { rows } = await pool.query<{ rotated: boolean }>(
    'SELECT personal_token_rotate($1, $2, $3, $4, $5, $6, $7) AS rotated',
    [
      rotation.tokenId,
      rotation.identityId ?? null,
      rotation.newTokenId,
      rotation.hash,
      dateOf(rotation.expiresAt),
      rotation.actor,
      Math.floor(now),
    ],
  );
  return rows[0]?.rotated === true;
}

export interface Revocation {
  readonly tokenId: string;
  /** Only a token of this identity. Absent: whoever's it is. */
  readonly identityId?: string;
  readonly actor: string;
  /** Why, where an operator says so. */
  readonly reason?: string;
}

/** Ends a live token. @returns false where there is no such live token */
export async function revokeToken(pool: pg.Pool, revocation: Revocation, now: number): Promise<boolean> {
  const { tokenId, identityId, actor, reason } = revocation;
  const { rows } = await pool.query<{ revoked: boolean }>(
    'SELECT personal_token_revoke($1, $2, $3, $4, $5) AS revoked',
    [tokenId, identityId ?? null, actor, reason ?? null, Math.floor(now)],
  );
  return rows[0]?.revoked === true;
}

export interface Lapse {
  readonly token: Pick<StoredToken, 'tokenId' | 'lastUsedAt'>;
  readonly why: 'expired' | 'inactive';
  readonly rule?: string;
  /** When the limit was reached, epoch milliseconds. */
  readonly endedAt: number;
  readonly policy: PolicyReference;
}

/** Ends a token that is over a limit. @returns false where it ended, or was used, since it was read */
export async function lapseToken(pool: pg.Pool, lapse: Lapse, now: number): Promise<boolean> {
  const { token, why, rule, endedAt, policy } = lapse;
  const { rows } = await pool.query<{ lapsed: boolean }>(
    'SELECT personal_token_lapse($1, $2, $3, $4, $5, $6, $7, $8, $9) AS lapsed',
    [
      token.tokenId,
      why,
      rule ?? null,
      Math.floor(endedAt),
      dateOf(token.lastUsedAt),
      Math.floor(now),
      policy.id,
      policy.version,
      policy.hash,
    ],
  );
  return rows[0]?.lapsed === true;
}

export interface TokenUse {
  readonly tokenId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Moves the last use of live tokens forward, never back. One statement for all. */
export async function writeUses(pool: pg.Pool, uses: readonly TokenUse[]): Promise<void> {
  await pool.query(
    // guard: tokens: a use is written to live rows only
    `UPDATE personal_token AS token SET last_used_at = greatest(token.last_used_at, used.at)
     FROM unnest($1::uuid[], $2::timestamptz[]) AS used (token_id, at)
     WHERE token.token_id = used.token_id AND token.ended_at IS NULL`,
    [uses.map(({ tokenId }) => tokenId), uses.map(({ at }) => new Date(at))],
  );
}

/** Live tokens of one policy that may be over a limit, in the order of their ids. */
export async function readPerhapsOver(
  pool: pg.Pool,
  bounds: {
    readonly policyId: string;
    readonly now: number;
    /** Those that were not used since then; absent: none of them. */
    readonly unusedSince?: number;
    /** Those that were created before; absent: none of them. */
    readonly createdBefore?: number;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<StoredToken[]> {
  const { rows } = await pool.query<Row>(
    `${stored} WHERE token.ended_at IS NULL AND token.policy_id = $1
       AND (token.expires_at <= $2 OR greatest(token.last_used_at, token.created_at) <= $3 OR token.created_at <= $4)
       AND ($5::uuid IS NULL OR token.token_id > $5)
     ORDER BY token.token_id LIMIT $6`,
    [
      bounds.policyId,
      new Date(bounds.now),
      dateOf(bounds.unusedSince),
      dateOf(bounds.createdBefore),
      bounds.after ?? null,
      bounds.limit,
    ],
  );
  return rows.map(tokenOf);
}

/** Forgets tokens that ended before a moment. @returns how many */
export async function forgetOldPersonalTokens(pool: pg.Pool, before: Date): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM personal_token WHERE token_id IN (
       SELECT token_id FROM personal_token WHERE noticed_at < $1 LIMIT 5000)`,
    [before],
  );
  return rowCount ?? 0;
}

/** Forgets what is known of an identity that is deleted. Its tokens are refused from then on. */
export async function forgetPersonalTokens(client: pg.PoolClient, identityId: string): Promise<void> {
  // A token that is being made at this moment is forgotten too; later ones are refused, because there is a tombstone.
  await client.query('SELECT personal_token_lock($1)', [identityId]);
  await client.query('DELETE FROM personal_token WHERE identity_id = $1', [identityId]);
}

function tokenOf(row: Row): StoredToken {
  return {
    tokenId: row.token_id,
    identityId: row.identity_id,
    type: row.type,
    name: row.name,
    scopes: row.scopes,
    roles: row.roles,
    createdAt: row.created_at.getTime(),
    owner: {
      ...given({ stage: row.stage ?? undefined }),
      ...(row.blocked_by === 'disabled-by-admin' && { isDisabledByAdmin: true as const }),
      ...((row.blocked_by === 'exempt' || row.blocked_by === 'hold') && { isSpared: true as const }),
    },
    ...given({
      policyId: row.policy_id ?? undefined,
      expiresAt: row.expires_at?.getTime(),
      lastUsedAt: row.last_used_at?.getTime(),
      ended: row.ended_why ?? undefined,
      endedAt: row.ended_at?.getTime(),
      rotatedFrom: row.rotated_from ?? undefined,
    }),
  };
}

function dateOf(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(Math.floor(at));
}
