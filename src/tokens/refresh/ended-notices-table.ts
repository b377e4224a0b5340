/**
 * Table `refresh_family` as the mails see it that tell of an end. All untold ends of a person go into one notice; its id is written before
 * the mail, so that a mail that is tried again is the same one.
 */
import type pg from 'pg';
import { given } from '../../domain/given.js';

/** Who is suspended, revoked, disabled, on hold or gone is not written to. Of `refresh_family AS family`. */
const mayBeTold = `NOT EXISTS (SELECT FROM standing AS owner WHERE owner.identity_id = family.identity_id
    AND (owner.stage IN ('suspended', 'revoked', 'deactivated', 'deleted') OR owner.blocked_by IN ('disabled-by-admin', 'hold')))
  AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = family.identity_id)`;
/** What a rule ended. Who ends a family by hand, signs out or resets a password knows of it. */
const isUntold =
  "family.ended_why IN ('unused', 'inactive', 'lifetime', 'same_origin') AND family.told_at IS NULL";

/** People whose ends are gathered in one statement. */
const gatheredAtOnce = 1_000;

/**
 * Gives all untold ends of a person that are in no notice yet to one notice. Of 1,000 people at most: to be called until none is left.
 * @param since epoch milliseconds: nobody is told of an end from before this
 * @returns of how many families
 */
export async function gatherEnds(
  pool: pg.Pool,
  { policyIds, since }: { readonly policyIds: readonly string[]; readonly since: number },
): Promise<number> {
  const { rowCount } = await pool.query(
    // guard: refresh: a mail of an end that is tried again is the same mail
    `WITH person AS MATERIALIZED (
       SELECT identity_id, gen_random_uuid() AS notice FROM (
         SELECT DISTINCT family.identity_id FROM refresh_family AS family
         WHERE ${isUntold} AND family.notice_id IS NULL AND family.ended_at > $1 AND family.policy_id = ANY($2) AND ${mayBeTold}
         LIMIT $3) AS ended)
     UPDATE refresh_family AS family SET notice_id = person.notice FROM person
     WHERE family.identity_id = person.identity_id
       AND ${isUntold} AND family.notice_id IS NULL AND family.ended_at > $1 AND family.policy_id = ANY($2)`,
    [new Date(since), policyIds, gatheredAtOnce],
  );
  return rowCount ?? 0;
}

export interface EndNotice {
  readonly noticeId: string;
  readonly identityId: string;
}

/**
 * Notices that are still to be sent, of people who may be told, in the order of their ids.
 * @param asked those after one, or one alone
 */
export async function readUntold(
  pool: pg.Pool,
  asked: { readonly since: number; readonly limit: number; readonly after?: string; readonly only?: string },
): Promise<EndNotice[]> {
  const { rows } = await pool.query<{ notice_id: string; identity_id: string }>(
    `SELECT DISTINCT family.notice_id, family.identity_id FROM refresh_family AS family
     WHERE ${isUntold} AND family.notice_id IS NOT NULL AND family.ended_at > $1 AND ${mayBeTold}
       AND ($2::uuid IS NULL OR family.notice_id > $2) AND ($3::uuid IS NULL OR family.notice_id = $3)
     ORDER BY family.notice_id LIMIT $4`,
    [new Date(asked.since), asked.after ?? null, asked.only ?? null, asked.limit],
  );
  return rows.map((row) => ({ noticeId: row.notice_id, identityId: row.identity_id }));
}

/** What a mail says of a family that ended. Times in epoch milliseconds. */
export interface EndedGrant {
  /** As the person calls the device; without a name, the client's id. */
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
  /** Of the last use, such as `198.51.100.0/24`: never a whole address. */
  readonly network?: string;
}

/** @returns the latest used first; `count`: of all, where there are more than `limit` */
export async function readEndedGrants(
  pool: pg.Pool,
  noticeId: string,
  limit: number,
): Promise<{ readonly grants: EndedGrant[]; readonly count: number }> {
  const { rows } = await pool.query<{
    readonly name: string;
    readonly created_at: Date;
    readonly last_used_at: Date | null;
    readonly network: string | null;
    readonly count: number;
  }>(
    // guard: refresh: a mail tells a prefix of an address, never the whole
    `SELECT coalesce(device_name, client_id) AS name, created_at, last_used_at, count(*) OVER ()::int AS count,
       network(set_masklen(last_address, least(masklen(last_address), CASE family(last_address) WHEN 4 THEN 24 ELSE 48 END)))::text AS network
     FROM refresh_family WHERE notice_id = $1
     ORDER BY coalesce(last_used_at, created_at) DESC, family_id LIMIT $2`,
    [noticeId, limit],
  );
  const grants = rows.map((row) => ({
    name: row.name,
    createdAt: row.created_at.getTime(),
    ...given({ lastUsedAt: row.last_used_at?.getTime(), network: row.network ?? undefined }),
  }));
  return { grants, count: rows[0]?.count ?? 0 };
}

/** The mail was sent, or nobody could be written to. @param now epoch milliseconds */
export async function markTold(pool: pg.Pool, noticeId: string, now: number): Promise<void> {
  await pool.query('UPDATE refresh_family SET told_at = $2 WHERE notice_id = $1 AND told_at IS NULL', [
    noticeId,
    new Date(now),
  ]);
}
