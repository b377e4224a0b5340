/** Personal data opens only for the identity it was sealed for, until the burial. In a database of its own: keys rotate. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { generateMasterKey, parseMasterKeys } from '../../src/keys/master-keys.js';
import {
  createPersonalData,
  KeyDestroyedError,
  MasterKeyError,
  rotateMasterKey,
} from '../../src/keys/personal-data.js';
import { openWith, sealWith, UnsealError } from '../../src/keys/sealing.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { unknownId } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;
const address = 'zoë@example.org';
const [first, second] = [generateMasterKey(), generateMasterKey()];
const at = async () => 1_000;
const under = (keys: string) => createPersonalData(pool, parseMasterKeys(keys), at);

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

const keyRows = async (id: string) =>
  (await pool.query('SELECT wrapped, master_key_id FROM identity_key WHERE identity_id = $1', [id])).rows;

describe('seal and open', () => {
  it('returns the sealed value, and stores nothing of it in clear', async () => {
    const id = unknownId();
    const [one, two] = [await under(first).seal(id, address), await under(first).seal(id, address)];
    expect(await under(first).open(id, one)).toBe(address);
    expect(await under(first).open(id.toUpperCase(), two)).toBe(address);
    expect(one.equals(two)).toBe(false);
    expect(one.toString('latin1')).not.toContain('example');
    expect(await keyRows(id)).toHaveLength(1);
  });

  it('makes one key for many requests at once', async () => {
    const id = unknownId();
    const sealed = await Promise.all(Array.from({ length: 8 }, () => under(first).seal(id, address)));
    for (const one of sealed) expect(await under(first).open(id, one)).toBe(address);
  });

  it('refuses a value sealed for another identity, even if the keys are swapped with it', async () => {
    const [id, other] = [unknownId(), unknownId()];
    const sealed = await under(first).seal(id, address);
    await under(first).seal(other, 'x');
    await expect(under(first).open(other, sealed)).rejects.toThrow(UnsealError);
    await pool.query(
      'UPDATE identity_key SET wrapped = (SELECT wrapped FROM identity_key WHERE identity_id = $1) WHERE identity_id = $2',
      [id, other],
    );
    await expect(under(first).open(other, sealed)).rejects.toThrow(UnsealError);
  });

  it('binds the content to its identity, not the key alone', () => {
    const key = Buffer.alloc(32, 7);
    const sealed = sealWith(key, Buffer.from(address), 'a');
    expect(openWith(key, sealed, 'a').toString()).toBe(address);
    expect(() => openWith(key, sealed, 'b')).toThrow(UnsealError);
  });

  it('refuses a value with any changed byte, or a cut one', async () => {
    const id = unknownId();
    const sealed = await under(first).seal(id, address);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await expect(under(first).open(id, changed)).rejects.toThrow(UnsealError);
    }
    for (const cut of [sealed.subarray(0, -1), sealed.subarray(0, 20), Buffer.alloc(0)]) {
      await expect(under(first).open(id, cut)).rejects.toThrow(UnsealError);
    }
  });

  it('names the master key that is missing, never a key', async () => {
    const id = unknownId();
    const sealed = await under(first).seal(id, address);
    const [{ master_key_id }] = await keyRows(id);
    for (const work of [() => under(second).open(id, sealed), () => under(second).seal(id, address)]) {
      const error = await work().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(MasterKeyError);
      expect(String(error)).toContain(`wrapped by the master key ${master_key_id}`);
      expect(String(error)).not.toContain(first);
      expect(String(error)).not.toContain(second);
    }
  });
});

describe('burial', () => {
  it('destroys the key: nothing opens any more, and nothing new is sealed', async () => {
    const [id, other] = [unknownId(), unknownId()];
    const sealed = await under(first).seal(id, address);
    const others = await under(first).seal(other, address);
    for (const deletedAt of [5_000, 6_000]) await buryIdentity(pool, id, undefined, deletedAt);
    expect(await keyRows(id)).toEqual([]);
    await expect(under(first).open(id, sealed)).rejects.toThrow(KeyDestroyedError);
    await expect(under(first).seal(id, address)).rejects.toThrow(KeyDestroyedError);
    expect(await keyRows(id)).toEqual([]);
    expect(await under(first).open(other, others)).toBe(address);
  });

  it('leaves no key behind, not even one made in the same instant', async () => {
    const ids = Array.from({ length: 20 }, unknownId);
    await Promise.all(
      ids.flatMap((id) => [
        under(first)
          .seal(id, address)
          .catch((error: unknown) => expect(error).toBeInstanceOf(KeyDestroyedError)),
        buryIdentity(pool, id, undefined, 5_000),
      ]),
    );
    const left = await pool.query('SELECT 1 FROM identity_key WHERE identity_id = ANY($1)', [ids]);
    expect(left.rows).toEqual([]);
  });

  it('waits for a transaction that is making the key, and destroys that key', async () => {
    const id = unknownId();
    const maker = await pool.connect();
    try {
      await maker.query('BEGIN');
      await maker.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `dormouse/identity-key/${id}`,
      ]);
      const burial = buryIdentity(pool, id, undefined, 5_000);
      await expect
        .poll(
          async () =>
            (
              await pool.query(
                `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
              )
            ).rows,
          { timeout: 30_000 },
        )
        .toHaveLength(1);
      await maker.query("INSERT INTO identity_key VALUES ($1, '\\x00', 'k', now())", [id]);
      await maker.query('COMMIT');
      await burial;
    } finally {
      maker.release(true);
    }
    expect(await keyRows(id)).toEqual([]);
  });
});

describe('rotation', () => {
  it('wraps all keys anew, page by page, and leaves sealed values unchanged', async () => {
    await pool.query('DELETE FROM identity_key');
    const ids = Array.from({ length: 5 }, unknownId);
    const sealed = await Promise.all(ids.map((id) => under(first).seal(id, address)));
    const both = parseMasterKeys(`${second},${first}`);
    expect(await rotateMasterKey(pool, parseMasterKeys(second), 2)).toEqual({ rewrapped: 0, unknown: 5 });
    expect(await rotateMasterKey(pool, both, 2)).toEqual({ rewrapped: 5, unknown: 0 });
    expect(await rotateMasterKey(pool, both, 2)).toEqual({ rewrapped: 0, unknown: 0 });
    for (const [index, id] of ids.entries()) {
      expect(await under(second).open(id, sealed[index] ?? Buffer.alloc(0))).toBe(address);
    }
    await expect(under(first).open(ids[0] ?? '', sealed[0] ?? Buffer.alloc(0))).rejects.toThrow(
      MasterKeyError,
    );
  });

  it('reads with both keys while it is under way, and makes new keys by the new one', async () => {
    const [old, fresh] = [unknownId(), unknownId()];
    const sealed = await under(first).seal(old, address);
    expect(await under(`${second},${first}`).open(old, sealed)).toBe(address);
    const later = await under(`${second},${first}`).seal(fresh, address);
    expect(await under(second).open(fresh, later)).toBe(address);
  });
});

describe('DORMOUSE_DATA_KEY', () => {
  it.each([
    '',
    'short',
    `${first}x`,
    `${first},${second},${first}`,
    '='.repeat(44),
    `${first},secret`,
  ])('is refused as %j, without repeating it', (text) => {
    expect(() => parseMasterKeys(text)).toThrow(ConfigError);
    expect(() => parseMasterKeys(text)).toThrow(/^DORMOUSE_DATA_KEY takes/);
    expect(() => parseMasterKeys(text)).not.toThrow(/secret/);
  });
});
