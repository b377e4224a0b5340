/** Table `postponement`: what people postponed by "Keep my account". */
import type pg from 'pg';
import type { KeepLink } from '../domain/links.js';
import { type Postponement, postponedUntil } from '../domain/postponement.js';
import type { DestructiveRung } from '../domain/rungs.js';
import { inTransaction } from '../postgres/pool.js';
import { removeOld } from '../postgres/remove-old.js';
import { takeLink } from './links-table.js';

/** More than one absence can have: at most 20 per rung. */
const mostRead = 60;

/** @returns the latest postponements, including those of earlier absences */
export async function readPostponements(pool: pg.Pool, identityId: string): Promise<Postponement[]> {
  const found = await pool.query<Row>(
    `SELECT rung, inactive_since, round, until_at, confirmed_at FROM postponement
     WHERE identity_id = $1 ORDER BY inactive_since DESC, rung, round LIMIT $2`,
    [identityId, mostRead],
  );
  return found.rows.map(postponementOf);
}

/** The same for many identities at once. Those who postponed nothing are left out. */
export async function readPostponementsOf(
  pool: pg.Pool,
  identityIds: readonly string[],
): Promise<Map<string, Postponement[]>> {
  const found = await pool.query<Row & { identity_id: string }>(
    `SELECT identity_id, rung, inactive_since, round, until_at, confirmed_at FROM postponement
     WHERE identity_id = ANY($1)`,
    [identityIds],
  );
  const all = new Map<string, Postponement[]>();
  for (const row of found.rows) {
    all.set(row.identity_id, [...(all.get(row.identity_id) ?? []), postponementOf(row)]);
  }
  return all;
}

interface Row {
  readonly rung: DestructiveRung;
  readonly inactive_since: Date;
  readonly round: number;
  readonly until_at: Date;
  readonly confirmed_at: Date;
}

function postponementOf(row: Row): Postponement {
  return {
    rung: row.rung,
    inactiveSince: row.inactive_since.getTime(),
    round: row.round,
    untilAt: row.until_at.getTime(),
    confirmedAt: row.confirmed_at.getTime(),
  };
}

/** Whether this round was answered already, by this link or by another link of its mails. */
export async function isAnswered(pool: pg.Pool, link: KeepLink): Promise<boolean> {
  const found = await pool.query(
    'SELECT 1 FROM postponement WHERE identity_id = $1 AND rung = $2 AND inactive_since = $3 AND round = $4',
    [link.identityId, link.rung, new Date(link.boundAt), link.round],
  );
  return found.rows.length > 0;
}

/**
 * Uses the link up and postpones, both or neither. The table's key lets only one link of a round succeed.
 * @returns until when, epoch milliseconds; `undefined` when the link, or its round, was used already
 */
export async function confirmPostponement(
  pool: pg.Pool,
  hash: Buffer,
  link: KeepLink,
  now: number,
): Promise<number | undefined> {
  const untilAt = postponedUntil(link.announcedAt, link.byMs, now);
  return inTransaction(pool, async (client) => {
    if (!(await takeLink(client, hash, now))) return undefined;
    const written = await client.query(
      `INSERT INTO postponement (identity_id, rung, inactive_since, round, until_at, confirmed_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [link.identityId, link.rung, new Date(link.boundAt), link.round, new Date(untilAt), new Date(now)],
    );
    return written.rowCount === 1 ? untilAt : undefined;
  });
}

/** Deletes those that ended before this time. @returns how many were deleted */
export function forgetOldPostponements(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'postponement', 'until_at < $1', before);
}

/** For an identity that no longer exists. */
export async function forgetPostponements(
  client: pg.Pool | pg.PoolClient,
  identityId: string,
): Promise<void> {
  await client.query('DELETE FROM postponement WHERE identity_id = $1', [identityId]);
}
