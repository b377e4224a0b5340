/**
 * Tables `notified_address` and `address_key`: the addresses that a running notice went to, so that a change
 * of address is noticed and the former address can be told. Addresses are stored as a keyed hash and sealed
 * (AES-256-GCM), for no longer than the notice runs. Each identity has its own random key, which its burial
 * destroys. Where there is a master key, `personal-data.ts` seals that key. Without one, key and sealed
 * address are in the same database: that keeps addresses out of queries, exports and logs, but not from
 * somebody who has the whole database.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { PersonalData } from '../keys/personal-data.js';

/** An address that was told of a notice, and no longer belongs to the account. */
export interface FormerAddress {
  /** Identifies the address without revealing it. */
  readonly id: string;
  readonly value: string;
}

export interface NotifiedAddresses {
  /** Remembers that the notice went to these addresses. Safe to repeat. */
  remember(identityId: string, requestKey: string, addresses: readonly string[], now: number): Promise<void>;
  /**
   * Compares the account's addresses with those that the notices went to. `added`: those of `told` that
   * no notice went to. `former`: those that a notice went to, that are not in `known` any more, and that
   * were not yet told of the change.
   * @param told the addresses that mails go to now
   * @param known all addresses of the account now
   */
  compare(
    identityId: string,
    requestKeys: readonly string[],
    now: { readonly told: readonly string[]; readonly known: readonly string[] },
  ): Promise<{ added: string[]; former: FormerAddress[] }>;
  /** Remembers that a former address was told of the change. */
  markTold(identityId: string, formerId: string, now: number): Promise<void>;
}

/** Seals keys with the master key. Without it they are stored unsealed in the database. */
export type Vault = Pick<PersonalData, 'seal' | 'open'>;

export function createNotifiedAddresses(pool: pg.Pool, vault?: Vault): NotifiedAddresses {
  return {
    async remember(identityId, requestKey, addresses, now) {
      const keys = keysFrom(identityId, await ensureKey(pool, identityId, vault));
      for (const address of addresses) {
        await pool.query(
          `INSERT INTO notified_address (identity_id, request_key, address_hash, sealed, notified_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [identityId, requestKey, keys.hash(address), keys.seal(address), new Date(now)],
        );
      }
    },

    async compare(identityId, requestKeys, { told, known }) {
      const secret = await readKey(pool, identityId, vault);
      if (secret === undefined) return { added: [...told], former: [] };
      const keys = keysFrom(identityId, secret);
      const found = await pool.query<{ hash: string; sealed: Buffer; untold: boolean }>(
        `SELECT encode(address_hash, 'hex') AS hash, (array_agg(sealed))[1] AS sealed, bool_and(change_told_at IS NULL) AS untold
         FROM notified_address WHERE identity_id = $1 AND request_key = ANY($2) GROUP BY address_hash`,
        [identityId, requestKeys],
      );
      const hexOf = (address: string) => keys.hash(address).toString('hex');
      const notified = new Set(found.rows.map(({ hash }) => hash));
      const still = new Set(known.map(hexOf));
      return {
        added: told.filter((address) => !notified.has(hexOf(address))),
        former: found.rows
          .filter(({ hash, untold }) => untold && !still.has(hash))
          .map(({ hash, sealed }) => ({ id: hash, value: keys.open(sealed) })),
      };
    },

    async markTold(identityId, formerId, now) {
      await pool.query(
        `UPDATE notified_address SET change_told_at = $3
         WHERE identity_id = $1 AND address_hash = decode($2, 'hex')`,
        [identityId, formerId, new Date(now)],
      );
    },
  };
}

/** Forgets addresses of notices that no longer run. When the last one goes, the key goes too. */
export async function forgetNotified(
  pool: pg.Pool,
  identityId: string,
  running: readonly string[],
): Promise<void> {
  await pool.query('DELETE FROM notified_address WHERE identity_id = $1 AND request_key <> ALL($2)', [
    identityId,
    running,
  ]);
  if (running.length === 0) await pool.query('DELETE FROM address_key WHERE identity_id = $1', [identityId]);
}

async function ensureKey(pool: pg.Pool, identityId: string, vault: Vault | undefined): Promise<Buffer> {
  const known = await readKey(pool, identityId, vault);
  if (known !== undefined) return known;
  const fresh = randomBytes(keyBytes);
  const kept = vault === undefined ? fresh : await vault.seal(identityId, fresh.toString('base64url'));
  await pool.query('INSERT INTO address_key (identity_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    identityId,
    kept,
  ]);
  const key = await readKey(pool, identityId, vault);
  if (key === undefined) throw new Error('the key of the identity was destroyed in this moment');
  return key;
}

const keyBytes = 32;

async function readKey(
  pool: pg.Pool,
  identityId: string,
  vault: Vault | undefined,
): Promise<Buffer | undefined> {
  const found = await pool.query<{ key: Buffer }>('SELECT key FROM address_key WHERE identity_id = $1', [
    identityId,
  ]);
  const key = found.rows[0]?.key;
  // A key from before there was a master key is not sealed.
  if (key === undefined || key.length === keyBytes) return key;
  if (vault === undefined) {
    throw new Error('the key of notified addresses is sealed. Give every worker the same DORMOUSE_DATA_KEY');
  }
  return Buffer.from(await vault.open(identityId, key), 'base64url');
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * Derives two keys from one secret and binds the sealed data to the identity: a row moved to
 * another identity does not open.
 */
function keysFrom(identityId: string, secret: Buffer) {
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', secret, '', `dormouse/address/${use}`, 32));
  const sealing = derive('seal');
  const hashing = derive('hash');
  const associated = Buffer.from(identityId);
  return {
    hash: (address: string): Buffer => createHmac('sha256', hashing).update(address, 'utf8').digest(),
    seal(address: string): Buffer {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(associated);
      const sealed = Buffer.concat([cipher.update(address, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
    },
    open(sealed: Buffer): string {
      const decipher = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(0, ivBytes));
      decipher.setAAD(associated).setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
      const opened = [decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()];
      return Buffer.concat(opened).toString('utf8');
    },
  };
}

/** For an identity that no longer exists: deletes addresses and key. */
export async function forgetAllNotified(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM notified_address WHERE identity_id = $1', [identityId]);
  await client.query('DELETE FROM address_key WHERE identity_id = $1', [identityId]);
}
