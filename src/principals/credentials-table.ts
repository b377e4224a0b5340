/**
 * Table `credential`: one row for each secret of a named credential, with its SHA-256 and never the secret itself. Rows begin and end by
 * functions of the owner, each with its entry in the audit log; an end only ever comes nearer (migration 046).
 */
import type pg from 'pg';
import { given } from '../domain/given.js';

/** The channel on which gateways hear of credentials that began or ended. */
export const credentialsChannel = 'dormouse_credentials';

export type CredentialEnd = 'expired' | 'rotated' | 'revoked';

/** One secret of a credential. Times in epoch milliseconds. */
export interface StoredCredential {
  readonly credentialId: string;
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  /** CIDR networks that it is taken from; empty: from anywhere. */
  readonly networks: readonly string[];
  readonly createdAt: number;
  readonly lastUsedAt?: number;
  /** From then on it is refused; absent: it has no end. */
  readonly endsAt?: number;
  readonly endsWhy?: CredentialEnd;
}

/** With the hash, in base64url: for a gateway, which looks secrets up by it. */
export interface KnownCredential extends StoredCredential {
  readonly hash: string;
}

interface Row {
  readonly credential_id: string;
  readonly name: string;
  readonly owner: string;
  readonly scopes: string[];
  readonly networks: string[];
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly ends_at: Date | null;
  readonly ends_why: CredentialEnd | null;
  readonly hash: Buffer;
}

const columns =
  'credential_id, name, owner, scopes, networks::text[], created_at, last_used_at, ends_at, ends_why, hash';
const isLive = '(ends_at IS NULL OR ends_at > now())';

/** How many secrets a gateway keeps in memory at most: all live ones, of which there are 1,000, come first. */
const mostKnown = 2_000;

/**
 * All live secrets, and those that ended within a week, so that the log can say whose they were.
 * @returns with the database's clock at the reading, epoch milliseconds
 */
export async function readKnownCredentials(
  pool: pg.Pool,
): Promise<{ readonly now: number; readonly credentials: readonly KnownCredential[] }> {
  const { rows } = await pool.query<Row & { now: Date }>(
    `SELECT clock_timestamp() AS now, ${columns} FROM (SELECT) AS always
     LEFT JOIN credential ON ends_at IS NULL OR ends_at > now() - interval '7 days'
     ORDER BY ends_at DESC NULLS FIRST LIMIT ${mostKnown}`,
  );
  const credentials = rows.flatMap((row) =>
    row.credential_id === null ? [] : [{ ...credentialOf(row), hash: row.hash.toString('base64url') }],
  );
  return { now: rows[0]?.now.getTime() ?? 0, credentials };
}

/** By name, the newest secret of each first. @param ended also those that ended */
export async function readCredentials(
  pool: pg.Pool,
  { ended }: { readonly ended: boolean },
): Promise<StoredCredential[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${columns} FROM credential WHERE $1 OR ${isLive} ORDER BY name, created_at DESC, credential_id`,
    [ended],
  );
  return rows.map(credentialOf);
}

/** The newest secret of a name, live or not. */
export async function readNewestCredential(
  pool: pg.Pool,
  name: string,
): Promise<StoredCredential | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT ${columns} FROM credential WHERE name = $1 ORDER BY created_at DESC, credential_id LIMIT 1`,
    [name],
  );
  return rows[0] && credentialOf(rows[0]);
}

export interface NewCredential {
  readonly credentialId: string;
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly networks: readonly string[];
  readonly hash: Buffer;
  /** Epoch milliseconds; absent: without expiry. */
  readonly expiresAt?: number;
  readonly actor: string;
}

/** @returns `taken`: the name belongs, or belonged, to another credential */
export async function insertCredential(
  pool: pg.Pool,
  credential: NewCredential,
  now: number,
): Promise<'made' | 'taken' | 'too-many'> {
  const { rows } = await pool.query<{ outcome: 'made' | 'taken' | 'too-many' }>(
    'SELECT credential_create($1, $2, $3, $4, $5, $6, $7, $8, $9) AS outcome',
    [
      credential.credentialId,
      credential.name,
      credential.owner,
      credential.scopes,
      credential.hash,
      credential.networks,
      dateOf(credential.expiresAt),
      credential.actor,
      Math.floor(now),
    ],
  );
  return rows[0]?.outcome ?? 'taken';
}

export interface CredentialRotation {
  readonly name: string;
  readonly credentialId: string;
  readonly hash: Buffer;
  /** Of the new secret, epoch milliseconds; absent: without expiry. */
  readonly expiresAt?: number;
  /** How long the earlier secrets stay good, milliseconds. */
  readonly overlapMs: number;
  readonly actor: string;
}

/** @returns false where the name has no live secret */
export async function rotateCredentialRow(
  pool: pg.Pool,
  rotation: CredentialRotation,
  now: number,
): Promise<boolean> {
  const { rows } = await pool.query<{ rotated: boolean }>(
    'SELECT credential_rotate($1, $2, $3, $4, $5, $6, $7) AS rotated',
    [
      rotation.name,
      rotation.credentialId,
      rotation.hash,
      dateOf(rotation.expiresAt),
      Math.floor(rotation.overlapMs),
      rotation.actor,
      Math.floor(now),
    ],
  );
  return rows[0]?.rotated === true;
}

/** Ends all secrets of a name. @returns false where none was live */
export async function revokeCredential(
  pool: pg.Pool,
  { name, actor, reason }: { readonly name: string; readonly actor: string; readonly reason: string },
  now: number,
): Promise<boolean> {
  const { rows } = await pool.query<{ revoked: boolean }>(
    'SELECT credential_revoke($1, $2, $3, $4) AS revoked',
    [name, actor, reason, Math.floor(now)],
  );
  return rows[0]?.revoked === true;
}

/** Moves last uses forward, never back. One statement for all. @param uses epoch milliseconds by `credentialId` */
export async function writeCredentialUses(pool: pg.Pool, uses: ReadonlyMap<string, number>): Promise<void> {
  await pool.query(
    `UPDATE credential SET last_used_at = greatest(last_used_at, used.at)
     FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at) WHERE credential_id = used.id`,
    [[...uses.keys()], [...uses.values()].map((at) => new Date(at))],
  );
}

/** Forgets secrets that ended before a moment. @returns how many */
export async function forgetOldCredentials(pool: pg.Pool, before: Date): Promise<number> {
  const { rowCount } = await pool.query('DELETE FROM credential WHERE ends_at < $1', [before]);
  return rowCount ?? 0;
}

function credentialOf(row: Row): StoredCredential {
  return {
    credentialId: row.credential_id,
    name: row.name,
    owner: row.owner,
    scopes: row.scopes,
    networks: row.networks,
    createdAt: row.created_at.getTime(),
    ...given({
      lastUsedAt: row.last_used_at?.getTime(),
      endsAt: row.ends_at?.getTime(),
      endsWhy: row.ends_why ?? undefined,
    }),
  };
}

function dateOf(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(Math.floor(at));
}
