/**
 * Table `token_use`: the last use of each session of access tokens, or token without a session. A live row moves forward only; a row that
 * ended never changes (docs/inactive-tokens.md).
 */
import type pg from 'pg';
import { dayMs } from '../../domain/duration.js';
import type { PolicyReference } from '../../domain/policy-reference.js';
import type { RefusedToken, TokenUse } from '../../domain/tokens/access-verdict.js';
import { readSigns } from '../../signs/signs-table.js';

/** The channel on which instances hear of uses that ended and of identities whose admission changed. */
export const tokensChannel = 'dormouse_tokens';

/** Tokens live for a day at most, sessions of them for longer. */
const keptMs = 400 * dayMs;

export interface StoredUse extends TokenUse {
  /** Hexadecimal. */
  readonly key: string;
  readonly identityId: string;
}

interface UseRow {
  readonly use_key: Buffer;
  readonly identity_id: string;
  readonly last_used_at: Date;
  readonly ended_at: Date | null;
  readonly ended_reason: 'idle' | 'revoked' | null;
}

const columns = 'use_key, identity_id, last_used_at, ended_at, ended_reason';

/**
 * Inserts a use that has no row yet. It starts with the latest sign of life of the identity where that is later than the start: the token
 * may have been used before anybody noted it.
 * @param startedAt epoch milliseconds
 * @returns the row as it is now
 */
export async function admitUse(
  pool: pg.Pool,
  use: { readonly key: string; readonly identityId: string; readonly startedAt: number },
  now: number,
): Promise<StoredUse> {
  const known = await readUse(pool, use.key);
  if (known !== undefined) return known;
  const signs = Object.values(await readSigns(pool, use.identityId)).filter((at) => at <= now);
  await pool.query(
    `INSERT INTO token_use (use_key, identity_id, started_at, last_used_at) VALUES (decode($1, 'hex'), $2, $3, $4)
     ON CONFLICT (use_key) DO NOTHING`,
    [use.key, use.identityId, new Date(use.startedAt), new Date(Math.max(use.startedAt, ...signs))],
  );
  const row = await readUse(pool, use.key);
  if (row === undefined) throw new Error('the use of a token was deleted as it was read');
  return row;
}

export async function readUse(pool: pg.Pool, key: string): Promise<StoredUse | undefined> {
  const { rows } = await pool.query<UseRow>(
    `SELECT ${columns} FROM token_use WHERE use_key = decode($1, 'hex')`,
    [key],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { ended_at: endedAt, ended_reason: reason } = row;
  return {
    key: row.use_key.toString('hex'),
    identityId: row.identity_id,
    lastUsedAt: row.last_used_at.getTime(),
    ...(endedAt !== null && reason !== null && { ended: { at: endedAt.getTime(), reason } }),
  };
}

/** Moves the last use of live rows forward, never back. @returns the keys of those that are live */
export async function touchUses(
  pool: pg.Pool,
  uses: readonly { readonly key: string; readonly at: number }[],
): Promise<Set<string>> {
  if (uses.length === 0) return new Set();
  const { rows } = await pool.query<{ key: string }>(
    // guard: access tokens: a use is written to live rows only
    `UPDATE token_use AS known SET last_used_at = greatest(known.last_used_at, seen.at)
     FROM (SELECT key, max(at) AS at FROM unnest($1::text[], $2::timestamptz[]) AS seen (key, at) GROUP BY key) AS seen
     WHERE known.use_key = decode(seen.key, 'hex') AND known.ended_at IS NULL
     RETURNING seen.key`,
    [uses.map(({ key }) => key), uses.map(({ at }) => new Date(at))],
  );
  return new Set(rows.map(({ key }) => key));
}

export interface Refusal extends Omit<RefusedToken, 'state'> {
  readonly key: string;
  readonly identityId: string;
  readonly policy?: PolicyReference | undefined;
  /** Ends the use as well: while its last use is the judged one (epoch milliseconds), or whatever it is. */
  readonly ends?: { readonly judgedAt?: number };
}

/**
 * Puts a refusal into the audit log, once for each use and reason.
 * @returns whether this call ended the use; true where it ends nothing
 */
export async function refuseToken(pool: pg.Pool, refusal: Refusal, now: number): Promise<boolean> {
  const { policy, ends } = refusal;
  const { rows } = await pool.query<{ done: boolean }>(
    "SELECT token_refuse(decode($1, 'hex'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS done",
    [
      refusal.key,
      refusal.identityId,
      refusal.reason,
      refusal.rule ?? null,
      Math.floor(refusal.endedAt),
      Math.floor(now),
      ends !== undefined,
      ends?.judgedAt === undefined ? null : new Date(ends.judgedAt),
      policy?.id ?? null,
      policy?.version ?? null,
      policy?.hash ?? null,
    ],
  );
  return rows[0]?.done === true;
}

export interface TokenNews {
  /** The database's clock, epoch milliseconds. */
  readonly now: number;
  /** Keys of uses that ended. */
  readonly ended: readonly string[];
  /** Identities whose stage or revocation changed. */
  readonly identities: readonly string[];
}

/** What changed since a moment of the database's clock. @param since epoch milliseconds; `undefined`: nothing is asked but the clock */
export async function readTokenNews(pool: pg.Pool, since: number | undefined): Promise<TokenNews> {
  const { rows } = await pool.query<{ now: Date; ended: string[]; identities: string[] }>(
    `SELECT clock_timestamp() AS now,
       ARRAY(SELECT encode(use_key, 'hex') FROM token_use WHERE ended_at IS NOT NULL AND noticed_at > $1) AS ended,
       ARRAY(SELECT identity_id::text FROM admission_change WHERE changed_at > $1) AS identities`,
    [since === undefined ? 'infinity' : new Date(since)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table gave no row');
  return { now: row.now.getTime(), ended: row.ended, identities: row.identities };
}

/** Forgets uses of so long ago that no session of theirs can be live. @returns how many */
export async function forgetOldUses(pool: pg.Pool, now: number): Promise<number> {
  const { rowCount } = await pool.query(
    'DELETE FROM token_use WHERE use_key IN (SELECT use_key FROM token_use WHERE last_used_at < $1 LIMIT 5000)',
    [new Date(now - keptMs)],
  );
  return rowCount ?? 0;
}

/** Forgets what guards were told of changes long ago. @returns how many */
export async function forgetOldAdmissionChanges(pool: pg.Pool, before: Date): Promise<number> {
  const { rowCount } = await pool.query(
    'DELETE FROM admission_change WHERE identity_id IN (SELECT identity_id FROM admission_change WHERE changed_at < $1 LIMIT 5000)',
    [before],
  );
  return rowCount ?? 0;
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetUses(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM token_use WHERE identity_id = $1', [identityId]);
  await client.query('DELETE FROM admission_change WHERE identity_id = $1', [identityId]);
}
