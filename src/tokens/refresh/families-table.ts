/**
 * Table `refresh_family`: one row for each family of refresh tokens, never a token. A family starts and ends by functions of the owner,
 * with its entry in the audit log; a token is exchanged by another that takes its proof; an ended row never changes back (migrations 038, 043).
 */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { PolicyReference } from '../../domain/policy-reference.js';
import type { Stage } from '../../domain/rungs.js';
import type { FamilyFacts, RequestOrigin, StaleReason } from '../../domain/tokens/refresh-staleness.js';
import type { TokenStanding } from '../admission-rules.js';
import type { RefreshToken, ValidToken } from './token.js';
import { hashOf, proofOf } from './token.js';

type Connection = pg.Pool | pg.PoolClient;

/** `account`: the identity's sessions and tokens were revoked as a whole. */
export type FamilyEndReason =
  | StaleReason
  | 'reuse'
  | 'signed_out'
  | 'by_person'
  | 'password_reset'
  | 'account';

export interface RefreshFamily extends FamilyFacts {
  readonly familyId: string;
  readonly identityId: string;
  /** `hydra`: Hydra issues its tokens, and the registry follows. */
  readonly issuer: 'app' | 'hydra';
  readonly clientId: string;
  readonly deviceName?: string;
  /** As the registry shows it: whole, or a prefix such as `198.51.100.0/24`. */
  readonly firstAddress?: string;
  readonly lastAddress?: string;
  /** When the person signed in for it, epoch milliseconds. */
  readonly signedInAt: number;
  readonly ended?: { readonly at: number; readonly why: FamilyEndReason };
}

/** A family under a lock, with everything that an exchange is judged by. */
export interface LockedFamily {
  readonly family: RefreshFamily;
  readonly valid: ValidToken & { readonly claims: readonly number[] };
  readonly standing: TokenStanding;
  /** The person's latest sign of life, epoch milliseconds. */
  readonly personActiveAt?: number;
  /** The database's clock, epoch milliseconds. */
  readonly now: number;
}

export interface FamilyRow {
  readonly family_id: string;
  readonly identity_id: string;
  readonly issuer: 'app' | 'hydra';
  readonly client_id: string;
  readonly device_name: string | null;
  readonly user_agent: string | null;
  readonly first_address: string | null;
  readonly last_address: string | null;
  readonly signed_in_at: Date;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly ended_at: Date | null;
  readonly ended_why: FamilyEndReason | null;
  readonly is_spared: boolean;
}

/** Of `refresh_family AS family`. */
export const familyColumns = `family.family_id, family.identity_id, family.issuer, family.client_id, family.device_name, family.user_agent,
  family.first_address, family.last_address, family.signed_in_at, family.created_at, family.last_used_at, family.ended_at, family.ended_why,
  EXISTS (SELECT FROM standing AS owner WHERE owner.identity_id = family.identity_id AND owner.blocked_by IN ('exempt', 'hold')) AS is_spared`;

/** The latest sign of life of the family's person. */
export const personActive =
  '(SELECT max(seen.last_active_at) FROM identity_activity AS seen WHERE seen.identity_id = family.identity_id)';

export interface NewFamily extends RequestOrigin {
  readonly familyId: string;
  readonly identityId: string;
  readonly clientId: string;
  /** The published policy that judges it where nobody asks; absent: the app's own. */
  readonly policyId?: string;
  readonly deviceName?: string;
  /** Its first token, or Hydra's consent. */
  readonly from: { readonly token: RefreshToken } | { readonly hydraConsent: string };
  /** Epoch milliseconds, as all times here. */
  readonly signedInAt: number;
  readonly createdAt: number;
}

/** @returns false where the consent has a family already */
export async function startFamily(pool: Connection, family: NewFamily): Promise<boolean> {
  const { from } = family;
  const { rows } = await pool.query<{ started: boolean }>(
    'SELECT refresh_family_start($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS started',
    [
      family.familyId,
      family.identityId,
      'token' in from ? 'app' : 'hydra',
      family.clientId,
      family.policyId ?? null,
      family.deviceName ?? null,
      family.userAgent ?? null,
      family.address ?? null,
      'token' in from ? hashOf(from.token) : null,
      'token' in from ? null : from.hydraConsent,
      new Date(family.signedInAt),
      new Date(family.createdAt),
    ],
  );
  return rows[0]?.started === true;
}

/**
 * Locks a family of the app's own until the end of the transaction: a revocation waits, or was first.
 * @returns `undefined` where there is none
 */
export async function lockFamily(client: pg.PoolClient, familyId: string): Promise<LockedFamily | undefined> {
  const { rows } = await client.query<
    FamilyRow & {
      readonly token_hash: Buffer;
      readonly generation: number;
      readonly claims: Date[];
      readonly stage: Stage | null;
      readonly stage_since: Date | null;
      readonly not_before: Date | null;
      readonly person_active_at: Date | null;
      readonly now: Date;
    }
  >(
    `SELECT ${familyColumns}, family.token_hash, family.generation, family.claims, standing.stage, standing.stage_since,
       revocation.not_before, ${personActive} AS person_active_at, clock_timestamp() AS now
     FROM refresh_family_lock($1) AS family LEFT JOIN standing USING (identity_id) LEFT JOIN revocation USING (identity_id)`,
    [familyId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    family: familyOf(row),
    valid: {
      generation: row.generation,
      tokenHash: row.token_hash,
      claims: row.claims.map((at) => at.getTime()),
    },
    standing: given({
      stage: row.stage ?? undefined,
      since: row.stage_since?.getTime(),
      notBefore: row.not_before?.getTime(),
    }),
    ...given({ personActiveAt: row.person_active_at?.getTime() }),
    now: row.now.getTime(),
  };
}

/**
 * Puts the successor in the place of the token that was valid. One statement: of all who present the same token, one gets `true`.
 * @param now epoch milliseconds
 */
export async function claimToken(
  client: Connection,
  { presented, successor }: { readonly presented: RefreshToken; readonly successor: RefreshToken },
  { address, userAgent }: RequestOrigin,
  now: number,
): Promise<boolean> {
  const { rows } = await client.query<{ claimed: boolean }>(
    'SELECT refresh_family_claim($1, $2, $3, $4, $5, $6) AS claimed',
    [
      presented.familyId,
      proofOf(presented),
      hashOf(successor),
      new Date(now),
      address ?? null,
      userAgent ?? null,
    ],
  );
  return rows[0]?.claimed === true;
}

export interface FamilyEnd {
  readonly familyIds: readonly string[];
  readonly why: FamilyEndReason;
  /** Only those that were not used after this moment, epoch milliseconds: what the decision rests on. */
  readonly unusedSince?: number;
  /** Only of people without a sign of life after this moment. */
  readonly inactiveSince?: number;
  readonly policy?: PolicyReference;
}

/** Ends live families, and audits it in the same transaction. @returns those that this call ended */
export async function endFamilies(pool: Connection, end: FamilyEnd, now: number): Promise<string[]> {
  if (end.familyIds.length === 0) return [];
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM refresh_family_end($1, $2, $3, $4, $5, $6, $7, $8) AS id',
    [
      end.familyIds,
      end.why,
      Math.floor(now),
      end.unusedSince === undefined ? null : new Date(end.unusedSince),
      end.inactiveSince === undefined ? null : new Date(end.inactiveSince),
      end.policy?.id ?? null,
      end.policy?.version ?? null,
      end.policy?.hash ?? null,
    ],
  );
  return rows.map(({ id }) => id);
}

/** The live families of a person, the longest unused first. @param policyId `null`: of the app's own policy; absent: all */
export async function readLiveFamilies(
  pool: Connection,
  identityId: string,
  policyId?: string | null,
): Promise<RefreshFamily[]> {
  const { rows } = await pool.query<FamilyRow>(
    // guard: refresh: people revoke their own families alone
    `SELECT ${familyColumns} FROM refresh_family AS family
     WHERE family.identity_id = $1 AND family.ended_at IS NULL AND ($2 OR family.policy_id IS NOT DISTINCT FROM $3)
     ORDER BY coalesce(family.last_used_at, family.created_at)`,
    [identityId, policyId === undefined, policyId ?? null],
  );
  return rows.map(familyOf);
}

/** What a person sees: live families first, then those that ended since a moment, the latest first. At most 500. */
export async function readFamilies(
  pool: Connection,
  identityId: string,
  endedSince: number,
): Promise<RefreshFamily[]> {
  const { rows } = await pool.query<FamilyRow>(
    `SELECT ${familyColumns} FROM refresh_family AS family
     WHERE family.identity_id = $1 AND (family.ended_at IS NULL OR family.ended_at > $2)
     ORDER BY family.ended_at DESC NULLS FIRST, coalesce(family.last_used_at, family.created_at) DESC LIMIT 500`,
    [identityId, new Date(endedSince)],
  );
  return rows.map(familyOf);
}

/** @returns the person's latest sign of life, epoch milliseconds; `undefined`: none is known */
export async function readPersonActiveAt(pool: Connection, identityId: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `SELECT ${personActive} AS at FROM (SELECT $1::uuid AS identity_id) AS family`,
    [identityId],
  );
  return rows[0]?.at?.getTime();
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetFamilies(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM refresh_family WHERE identity_id = $1', [identityId]);
}

export function familyOf(row: FamilyRow): RefreshFamily {
  return {
    familyId: row.family_id,
    identityId: row.identity_id,
    issuer: row.issuer,
    clientId: row.client_id,
    signedInAt: row.signed_in_at.getTime(),
    createdAt: row.created_at.getTime(),
    isSpared: row.is_spared,
    ...given({
      deviceName: row.device_name ?? undefined,
      userAgent: row.user_agent ?? undefined,
      firstAddress: row.first_address ?? undefined,
      lastAddress: row.last_address ?? undefined,
      // A prefix is no address, and is compared with none.
      address: row.last_address?.includes('/') === false ? row.last_address : undefined,
      lastUsedAt: row.last_used_at?.getTime(),
    }),
    ...(row.ended_at !== null &&
      row.ended_why !== null && { ended: { at: row.ended_at.getTime(), why: row.ended_why } }),
  };
}
