/** Table `refresh_family` as the sweep reads and cleans it. */
import type pg from 'pg';
import { removeOld } from '../../postgres/remove-old.js';
import {
  type FamilyRow,
  familyColumns,
  familyOf,
  personActive,
  type RefreshFamily,
} from './families-table.js';

/** A live family, with the person's latest sign of life, epoch milliseconds. */
export interface PerhapsStale {
  readonly family: RefreshFamily;
  readonly personActiveAt: number | undefined;
}

/** Live families of one policy that may be stale, in the order of their ids. */
export async function readPerhapsStale(
  pool: pg.Pool,
  bounds: {
    /** `null`: of the apps' own policies. */
    readonly policyId: string | null;
    /** Epoch milliseconds, as `createdBefore`. */
    readonly unusedSince: number;
    readonly createdBefore: number;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<PerhapsStale[]> {
  const { rows } = await pool.query<FamilyRow & { readonly person_active_at: Date | null }>(
    `SELECT ${familyColumns}, ${personActive} AS person_active_at FROM refresh_family AS family
     WHERE family.ended_at IS NULL AND family.policy_id IS NOT DISTINCT FROM $1
       AND (coalesce(family.last_used_at, family.created_at) <= $2 OR family.created_at <= $3)
       AND ($4::uuid IS NULL OR family.family_id > $4)
     ORDER BY family.family_id LIMIT $5`,
    [
      bounds.policyId,
      new Date(bounds.unusedSince),
      new Date(bounds.createdBefore),
      bounds.after ?? null,
      bounds.limit,
    ],
  );
  return rows.map((row) => ({ family: familyOf(row), personActiveAt: row.person_active_at?.getTime() }));
}

/**
 * Live families from before the moment at which their identity's tokens were revoked. Hydra tells whole seconds of a sign-in, so one within
 * the second of the revocation counts as after it, as at the token hook.
 */
export async function readRevoked(pool: pg.Pool, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ family_id: string }>(
    `SELECT family.family_id FROM refresh_family AS family JOIN revocation USING (identity_id)
     WHERE family.ended_at IS NULL AND CASE family.issuer WHEN 'app' THEN family.signed_in_at <= revocation.not_before
       ELSE family.signed_in_at < date_trunc('second', revocation.not_before) END
     ORDER BY family.family_id LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.family_id);
}

/** Rows changed in one statement. */
const changedAtOnce = 5_000;

/**
 * Cuts addresses to /24, or /48 for IPv6, whose use is older than `before`. The address of the first use counts from the creation. At
 * most 5,000 of each: to be called until none is left.
 * @param policyId `null`: of the apps' own policies
 * @returns how many addresses
 */
export async function cutAddresses(pool: pg.Pool, policyId: string | null, before: number): Promise<number> {
  const { rows } = await pool.query<{ cut: number }>('SELECT refresh_family_cut($1, $2) AS cut', [
    policyId,
    new Date(before),
  ]);
  return rows[0]?.cut ?? 0;
}

/**
 * Removes families that ended before a moment, 5,000 at most: to be called until none is left. Families of Hydra whose end is not carried out there stay: the row is what refuses them.
 * @returns how many
 */
export async function forgetDeadFamilies(
  pool: pg.Pool,
  policyId: string | null,
  before: number,
): Promise<number> {
  const { rowCount } = await pool.query(
    // guard: refresh: a row of Hydra stays while Hydra owes its end
    `DELETE FROM refresh_family WHERE family_id IN (
       SELECT family_id FROM refresh_family
       WHERE policy_id IS NOT DISTINCT FROM $1 AND ended_at <= $2 AND closed_at IS NOT NULL LIMIT $3)`,
    [policyId, new Date(before), changedAtOnce],
  );
  return rowCount ?? 0;
}

/**
 * Gives families of an app's own policy to a published one, where their app moved to it: the latest family of their client is under it, and
 * none was started under the app's own since a moment. Instances of two releases side by side start both.
 *
 * @param quietSince epoch milliseconds
 * @returns how many, 5,000 at most: to be called until none is left
 */
export async function adoptFamilies(pool: pg.Pool, policyId: string, quietSince: number): Promise<number> {
  const { rowCount } = await pool.query(
    // guard: refresh: the families of an app that runs two releases stay its own
    `WITH own AS (
       SELECT DISTINCT client_id FROM refresh_family WHERE policy_id IS NULL AND ended_at IS NULL AND issuer = 'app'
     ), moved AS (
       SELECT own.client_id FROM own CROSS JOIN LATERAL (
         SELECT policy_id FROM refresh_family WHERE client_id = own.client_id AND issuer = 'app' ORDER BY created_at DESC LIMIT 1) AS latest
       WHERE latest.policy_id = $1 AND NOT EXISTS (SELECT FROM refresh_family AS recent
         WHERE recent.client_id = own.client_id AND recent.issuer = 'app' AND recent.policy_id IS NULL AND recent.created_at > $2)
     )
     UPDATE refresh_family SET policy_id = $1 WHERE family_id IN (
       SELECT family_id FROM refresh_family JOIN moved USING (client_id)
       WHERE policy_id IS NULL AND ended_at IS NULL AND issuer = 'app' LIMIT $3)`,
    [policyId, new Date(quietSince), changedAtOnce],
  );
  return rowCount ?? 0;
}

/** The same as {@link forgetDeadFamilies} for every policy, also those that are published no more. */
export function forgetOldFamilies(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'refresh_family', 'ended_at < $1 AND closed_at IS NOT NULL', before);
}

/** A client of a person at Hydra, all of whose families ended. */
export interface ClosableClient {
  readonly identityId: string;
  readonly clientId: string;
  readonly familyIds: readonly string[];
}

export type ClientOfPerson = Pick<ClosableClient, 'identityId' | 'clientId'>;

/**
 * Ended families of Hydra that are still owed there, where no live family shares their client. In the order of person and client.
 * @param asked those after a client of the page before, or of one client alone; absent: from the first
 */
export async function readClosable(
  pool: pg.Pool,
  limit: number,
  asked: { readonly after?: ClientOfPerson | undefined; readonly only?: ClientOfPerson } = {},
): Promise<ClosableClient[]> {
  const { after, only } = asked;
  const { rows } = await pool.query<{ identity_id: string; client_id: string; families: string[] }>(
    `SELECT identity_id, client_id, array_agg(family_id) AS families FROM refresh_family AS owed
     WHERE ended_at IS NOT NULL AND closed_at IS NULL AND NOT EXISTS (
       SELECT FROM refresh_family AS live WHERE live.identity_id = owed.identity_id AND live.client_id = owed.client_id
         AND live.issuer = 'hydra' AND live.ended_at IS NULL)
       AND ($2::uuid IS NULL OR (identity_id, client_id) > ($2, $3))
       AND ($4::uuid IS NULL OR (identity_id, client_id) = ($4, $5))
     GROUP BY identity_id, client_id ORDER BY identity_id, client_id LIMIT $1`,
    [
      limit,
      after?.identityId ?? null,
      after?.clientId ?? null,
      only?.identityId ?? null,
      only?.clientId ?? null,
    ],
  );
  return rows.map((row) => ({
    identityId: row.identity_id,
    clientId: row.client_id,
    familyIds: row.families,
  }));
}

/** The end was carried out in Hydra. */
export async function markFamiliesClosed(
  pool: pg.Pool,
  familyIds: readonly string[],
  now: number,
): Promise<void> {
  await pool.query(
    'UPDATE refresh_family SET closed_at = $2 WHERE family_id = ANY($1::uuid[]) AND ended_at IS NOT NULL AND closed_at IS NULL',
    [familyIds, new Date(now)],
  );
}
