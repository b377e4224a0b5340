/** Table `identity_activity`: the latest sign of life of each identity and kind; a monotone maximum. */
import type pg from 'pg';
import type { LatestSigns, SignKind } from '../domain/sign-of-life.js';
import type { IdentitySign } from './identity-sign.js';

/**
 * The latest sign of each identity and kind. Sorted, so that two batches lock rows in the
 * same order and can't deadlock.
 */
export function latestSigns(signs: readonly IdentitySign[]): IdentitySign[] {
  const latest = new Map<string, IdentitySign>();
  for (const sign of signs) {
    const key = `${sign.identityId}/${sign.kind}`;
    const known = latest.get(key);
    if (known === undefined || known.at < sign.at) latest.set(key, sign);
  }
  return [...latest.values()].sort((a, b) => (a.identityId + a.kind < b.identityId + b.kind ? -1 : 1));
}

/** Takes the columns of {@link signColumns} as its first four parameters. */
// guard: a sign of life never moves back (PostgreSQL)
export const upsertSigns = `
  INSERT INTO identity_activity AS known (identity_id, kind, last_active_at, source)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
  ON CONFLICT (identity_id, kind) DO UPDATE
    SET last_active_at = EXCLUDED.last_active_at, source = EXCLUDED.source
    WHERE known.last_active_at < EXCLUDED.last_active_at`;

export function signColumns(rows: readonly IdentitySign[]): [string[], string[], Date[], string[]] {
  return [
    rows.map((row) => row.identityId),
    rows.map((row) => row.kind),
    rows.map((row) => new Date(row.at)),
    rows.map((row) => row.source),
  ];
}

/** @returns the latest sign of each kind that PostgreSQL knows */
export async function readSigns(pool: pg.Pool, identityId: string): Promise<LatestSigns> {
  const found = await pool.query<{ kind: SignKind; last_active_at: Date }>(
    'SELECT kind, last_active_at FROM identity_activity WHERE identity_id = $1',
    [identityId],
  );
  return Object.fromEntries(found.rows.map((row) => [row.kind, row.last_active_at.getTime()]));
}

/** Forgets an identity's signs of life, and their marks. */
export async function forgetSigns(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query(
    // guard: breaker: marks go with the deleted
    `WITH forgotten AS (DELETE FROM activity_mark WHERE identity_id = $1)
     DELETE FROM identity_activity WHERE identity_id = $1`,
    [identityId],
  );
}

/** The same for many identities at once. Those without a sign of life are left out. */
export async function readSignsOfAll(
  pool: pg.Pool,
  identityIds: readonly string[],
): Promise<Map<string, LatestSigns>> {
  const found = await pool.query<{ identity_id: string; kind: SignKind; last_active_at: Date }>(
    'SELECT identity_id, kind, last_active_at FROM identity_activity WHERE identity_id = ANY($1)',
    [identityIds],
  );
  const activities = new Map<string, LatestSigns>();
  for (const { identity_id: id, kind, last_active_at: at } of found.rows) {
    activities.set(id, { ...activities.get(id), [kind]: at.getTime() });
  }
  return activities;
}
