/** Table `retired_identifier`: what deleted accounts were called, as keyed hashes, for as long as the policy says. */
import { createHmac } from 'node:crypto';
import type pg from 'pg';

/** Names identifiers without being them. Without a key nothing is remembered. */
export type IdentifierKey = string;

/** The same identifier in whatever case or Unicode form it is written. */
function hashOf(key: IdentifierKey, identifier: string): Buffer {
  const folded = identifier.normalize('NFKC').trim().toLowerCase();
  return createHmac('sha256', key).update(`dormouse/identifier/${folded}`).digest();
}

/** Remembers identifiers until then; forgets those whose time is over. */
export async function retireIdentifiers(
  pool: pg.Pool,
  key: IdentifierKey,
  identifiers: readonly string[],
  { until, now }: { readonly until: number; readonly now: number },
): Promise<void> {
  await pool.query('DELETE FROM retired_identifier WHERE until <= $1', [new Date(now)]);
  await pool.query(
    `INSERT INTO retired_identifier AS known (identifier_hash, until) SELECT DISTINCT unnest($1::bytea[]), $2::timestamptz
     ON CONFLICT (identifier_hash) DO UPDATE SET until = greatest(known.until, EXCLUDED.until)`,
    [identifiers.map((identifier) => hashOf(key, identifier)), new Date(until)],
  );
}

/** @returns whether one of them may not be registered at `now`, epoch milliseconds */
export async function isRetired(
  pool: pg.Pool,
  key: IdentifierKey,
  identifiers: readonly string[],
  now: number,
): Promise<boolean> {
  const found = await pool.query(
    'SELECT 1 FROM retired_identifier WHERE identifier_hash = ANY($1::bytea[]) AND until > $2 LIMIT 1',
    [identifiers.map((identifier) => hashOf(key, identifier)), new Date(now)],
  );
  return found.rows.length > 0;
}
