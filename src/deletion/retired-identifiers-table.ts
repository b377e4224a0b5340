/**
 * Table `retired_identifier`: identifiers of deleted accounts, as keyed hashes,
 * for as long as the policy says.
 */
import type pg from 'pg';
import { hashOfIdentifier, type IdentifierKey } from '../keys/identifier-hash.js';

/** Remembers identifiers until the given time, and forgets expired ones. */
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
    [identifiers.map((identifier) => hashOfIdentifier(key, identifier)), new Date(until)],
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
    // guard: a name is refused until its time, not for ever
    'SELECT 1 FROM retired_identifier WHERE identifier_hash = ANY($1::bytea[]) AND until > $2 LIMIT 1',
    [identifiers.map((identifier) => hashOfIdentifier(key, identifier)), new Date(now)],
  );
  return found.rows.length > 0;
}
