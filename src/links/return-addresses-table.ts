/** Table `return_address`: the addresses under which a deactivated person may request a reactivation link. */
import type pg from 'pg';
import { hashOfIdentifier, type IdentifierKey } from '../keys/identifier-hash.js';

/** Keeps these addresses of the identity, and no others. */
export async function keepReturnAddresses(
  pool: pg.Pool,
  key: IdentifierKey,
  identityId: string,
  addresses: readonly string[],
): Promise<void> {
  const hashes = addresses.map((address) => hashOfIdentifier(key, address, 'return-address'));
  await pool.query(
    `WITH gone AS (DELETE FROM return_address WHERE identity_id = $1 AND NOT address_hash = ANY($2::bytea[]))
     INSERT INTO return_address (identity_id, address_hash) SELECT DISTINCT $1::uuid, unnest($2::bytea[])
     ON CONFLICT DO NOTHING`,
    [identityId, hashes],
  );
}

/** @returns the identities that have this address on record */
export async function findByReturnAddress(
  pool: pg.Pool,
  key: IdentifierKey,
  address: string,
): Promise<string[]> {
  const found = await pool.query<{ identity_id: string }>(
    'SELECT identity_id FROM return_address WHERE address_hash = $1 LIMIT 10',
    [hashOfIdentifier(key, address, 'return-address')],
  );
  return found.rows.map(({ identity_id }) => identity_id);
}

/** For an identity that was enabled again, or no longer exists. */
export async function forgetReturnAddresses(
  client: pg.Pool | pg.PoolClient,
  identityId: string,
): Promise<void> {
  await client.query('DELETE FROM return_address WHERE identity_id = $1', [identityId]);
}
