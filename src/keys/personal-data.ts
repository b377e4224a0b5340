/**
 * Personal data that Dormouse has to keep, encrypted for one identity each: table `identity_key`. A burial
 * destroys the identity's key. After that, its sealed data can't be read any more, in any copy or any backup
 * of the data alone. See docs/personal-data.md.
 */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../postgres/pool.js';
import type { MasterKey, MasterKeys } from './master-keys.js';
import { dataKeyBytes, openWith, sealWith } from './sealing.js';

/** The identity was deleted together with its key: nothing can ever be sealed or opened for it again. */
export class KeyDestroyedError extends Error {
  override readonly name = 'KeyDestroyedError';
  constructor(identityId: string) {
    super(`the key of identity ${identityId} does not exist, or was destroyed when the identity was deleted`);
  }
}

/** The master key that wraps an identity's key is not configured. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
  constructor(identityId: string, wanted: string, known: readonly MasterKey[]) {
    super(
      `the key of identity ${identityId} is wrapped by the master key ${wanted}, and DORMOUSE_DATA_KEY holds ` +
        `${known.map(({ id }) => id).join(' and ')}. Add the other key behind the new one (comma-separated), then run "dormouse keys rotate"`,
    );
  }
}

export interface PersonalData {
  /**
   * Encrypts for one identity. Its key is made at the first call.
   * @throws KeyDestroyedError where the identity was deleted; MasterKeyError
   */
  seal(identityId: string, plaintext: string): Promise<Buffer>;
  /**
   * @throws KeyDestroyedError; MasterKeyError; UnsealError where the data was sealed
   * for another identity, or changed
   */
  open(identityId: string, sealed: Uint8Array): Promise<string>;
}

/** @param now for the date of new keys, epoch milliseconds */
export function createPersonalData(
  pool: pg.Pool,
  masterKeys: MasterKeys,
  now: () => Promise<number>,
): PersonalData {
  return {
    async seal(identityId, plaintext) {
      const key =
        (await readKey(pool, masterKeys, identityId)) ??
        (await makeKey(pool, masterKeys, identityId, await now()));
      return sealWith(key, Buffer.from(plaintext, 'utf8'), contentOf(identityId));
    },
    async open(identityId, sealed) {
      const key = await readKey(pool, masterKeys, identityId);
      if (key === undefined) throw new KeyDestroyedError(identityId);
      return openWith(key, sealed, contentOf(identityId)).toString('utf8');
    },
  };
}

/**
 * Destroys an identity's key for good. To be called in the transaction that writes
 * the tombstone. Safe to repeat.
 */
export async function destroyKey(client: pg.PoolClient, identityId: string): Promise<void> {
  await lockKey(client, identityId);
  await client.query('DELETE FROM identity_key WHERE identity_id = $1', [identityId]);
}

export interface Rotation {
  readonly rewrapped: number;
  /** Keys wrapped by an unknown master key. */
  readonly unknown: number;
}

/**
 * Wraps all data keys with the current master key, page by page. Sealed data does not change. Safe to stop
 * and repeat. Afterwards the old master key can be removed.
 */
export async function rotateMasterKey(
  pool: pg.Pool,
  masterKeys: MasterKeys,
  pageSize = 500,
): Promise<Rotation> {
  let after: string | undefined;
  let rewrapped = 0;
  let unknown = 0;
  for (;;) {
    const page = await pool.query<KeyRow & { identity_id: string }>(
      `SELECT identity_id, wrapped, master_key_id FROM identity_key
       WHERE master_key_id <> $1 AND ($2::uuid IS NULL OR identity_id > $2) ORDER BY identity_id LIMIT $3`,
      [masterKeys.current.id, after ?? null, pageSize],
    );
    for (const row of page.rows) {
      after = row.identity_id;
      const old = masterKeys.all.find(({ id }) => id === row.master_key_id);
      if (old === undefined) unknown += 1;
      else rewrapped += await rewrap(pool, row, old, masterKeys.current);
    }
    if (page.rows.length === 0) return { rewrapped, unknown };
  }
}

interface KeyRow {
  readonly wrapped: Buffer;
  readonly master_key_id: string;
}

const contentOf = (identityId: string): string => `dormouse/personal-data/${identityId.toLowerCase()}`;
const wrappingOf = (identityId: string): string => `dormouse/identity-key/${identityId.toLowerCase()}`;

async function rewrap(
  pool: pg.Pool,
  row: KeyRow & { identity_id: string },
  old: MasterKey,
  current: MasterKey,
): Promise<number> {
  const belongsTo = wrappingOf(row.identity_id);
  const wrapped = sealWith(current.key, openWith(old.key, row.wrapped, belongsTo), belongsTo);
  // A key that was destroyed meanwhile stays destroyed.
  const changed = await pool.query(
    'UPDATE identity_key SET wrapped = $2, master_key_id = $3 WHERE identity_id = $1 AND wrapped = $4',
    [row.identity_id, wrapped, current.id, row.wrapped],
  );
  return changed.rowCount ?? 0;
}

/** Never cached: a key that another process destroyed must be gone here as well. */
async function readKey(
  client: pg.Pool | pg.PoolClient,
  masterKeys: MasterKeys,
  identityId: string,
): Promise<Buffer | undefined> {
  const found = await client.query<KeyRow>(
    'SELECT wrapped, master_key_id FROM identity_key WHERE identity_id = $1',
    [identityId],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const master = masterKeys.all.find(({ id }) => id === row.master_key_id);
  if (master === undefined) throw new MasterKeyError(identityId, row.master_key_id, masterKeys.all);
  return openWith(master.key, row.wrapped, wrappingOf(identityId));
}

/**
 * Makes the key, or takes the one that another process made at the same time. Never for a buried identity.
 */
async function makeKey(
  pool: pg.Pool,
  masterKeys: MasterKeys,
  identityId: string,
  now: number,
): Promise<Buffer> {
  return inTransaction(pool, async (client) => {
    await lockKey(client, identityId);
    const known = await readKey(client, masterKeys, identityId);
    if (known !== undefined) return known;
    const buried = await client.query('SELECT 1 FROM tombstone WHERE identity_id = $1', [identityId]);
    // guard: no key for the buried
    if (buried.rows.length > 0) throw new KeyDestroyedError(identityId);
    const key = randomBytes(dataKeyBytes);
    const { current } = masterKeys;
    await client.query(
      'INSERT INTO identity_key (identity_id, wrapped, master_key_id, created_at) VALUES ($1, $2, $3, $4)',
      [identityId, sealWith(current.key, key, wrappingOf(identityId)), current.id, new Date(now)],
    );
    return key;
  });
}

/** Only one process at a time makes or destroys a key, so that no key is made during the burial. */
async function lockKey(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [wrappingOf(identityId)]);
}
