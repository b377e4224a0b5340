/** Table `link`: the links that mails carried, by the hash of their token. */
import type pg from 'pg';
import type { Link, NewLink } from '../domain/links.js';
import type { DestructiveRung } from '../domain/rungs.js';

interface Row {
  readonly identity_id: string;
  readonly purpose: 'keep' | 'reactivate' | 'unsubscribe';
  readonly bound_at: Date;
  readonly rung: DestructiveRung | null;
  readonly round: number | null;
  readonly announced_at: Date | null;
  readonly by_ms: string | null;
  readonly created_at: Date;
}

/** Writes a link that is about to be mailed, and deletes links that can't be used any more. */
export async function writeLink(pool: pg.Pool, hash: Buffer, link: NewLink): Promise<void> {
  const keep = link.purpose === 'keep' ? link : undefined;
  await pool.query('DELETE FROM link WHERE expires_at <= $1', [new Date(link.createdAt)]);
  await pool.query(
    `INSERT INTO link (token_hash, identity_id, purpose, bound_at, rung, round, announced_at, by_ms, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      hash,
      link.identityId,
      link.purpose,
      new Date(link.boundAt),
      keep?.rung ?? null,
      keep?.round ?? null,
      keep === undefined ? null : new Date(keep.announcedAt),
      keep?.byMs ?? null,
      new Date(link.createdAt),
      new Date(link.expiresAt),
    ],
  );
}

/** @returns the link, unless it is unknown, expired or used. Changes nothing */
export async function readLink(
  pool: pg.Pool | pg.PoolClient,
  hash: Buffer,
  now: number,
): Promise<Link | undefined> {
  const found = await pool.query<Row>(
    `SELECT identity_id, purpose, bound_at, rung, round, announced_at, by_ms, created_at
     FROM link WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2`,
    [hash, new Date(now)],
  );
  const row = found.rows[0];
  return row === undefined ? undefined : linkOf(row);
}

function linkOf(row: Row): Link {
  const common = {
    identityId: row.identity_id,
    boundAt: row.bound_at.getTime(),
    createdAt: row.created_at.getTime(),
  };
  const { rung, round, announced_at: announcedAt, by_ms: byMs } = row;
  if (rung === null || round === null || announcedAt === null || byMs === null) {
    return { ...common, purpose: row.purpose === 'unsubscribe' ? 'unsubscribe' : 'reactivate' };
  }
  return { ...common, purpose: 'keep', rung, round, announcedAt: announcedAt.getTime(), byMs: Number(byMs) };
}

/** Uses a link up. @returns whether this call did it */
export async function takeLink(client: pg.PoolClient, hash: Buffer, now: number): Promise<boolean> {
  const taken = await client.query(
    'UPDATE link SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2',
    [hash, new Date(now)],
  );
  return taken.rowCount === 1;
}

/** Uses up every reactivation link of the identity: they all lead to the same return. */
export async function takeReactivationLinks(pool: pg.Pool, identityId: string, now: number): Promise<void> {
  await pool.query(
    `UPDATE link SET used_at = $2 WHERE identity_id = $1 AND purpose = 'reactivate' AND used_at IS NULL`,
    [identityId, new Date(now)],
  );
}

/** For an identity that no longer exists. */
export async function forgetLinks(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM link WHERE identity_id = $1', [identityId]);
}
