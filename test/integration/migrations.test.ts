/** Migrations while others use the tables: locks and waiting. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { ensureIndexes, laterIndexes } from '../../src/postgres/indexes.js';
import { migrate, migrationsDirectory } from '../../src/postgres/migrate.js';
import { createPool, inTransaction } from '../../src/postgres/pool.js';
import { withClient } from '../../src/postgres/roles.js';

const adminUrl = inject('stack').postgres.url;
const name = `t_${randomBytes(6).toString('hex')}`;
const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
const impatient = { lockTimeoutMs: 100, attempts: 2, pauseMs: 10 };

/** With the schema before migration 031, which changes `audit_head`. */
beforeAll(async () => {
  await withClient(adminUrl, (client) => client.query(`CREATE DATABASE ${name}`));
  const files = (await readdir(migrationsDirectory)).sort();
  await runner({
    databaseUrl: url,
    dir: migrationsDirectory,
    direction: 'up',
    migrationsTable: 'dormouse_migration',
    count: files.indexOf('031_least_privilege.sql'),
    log: () => undefined,
  } as Parameters<typeof runner>[0]);
});
afterAll(() => withClient(adminUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)));

const applied = (client: pg.Client) =>
  client.query('SELECT 1 FROM dormouse_migration WHERE name = $1', ['031_least_privilege']);

describe('a migration', () => {
  it('gives way while a table is in use, changes nothing then, and succeeds afterwards', async () => {
    await withClient(url, async (reader) => {
      await reader.query('BEGIN');
      await reader.query('SELECT * FROM audit_head');
      const refused = migrate(url, impatient);
      await expect(refused).rejects.toThrow(ConfigError);
      await expect(refused).rejects.toThrow(/another session keeps a lock.*pg_stat_activity/);
      expect((await withClient(url, applied)).rowCount).toBe(0);
      await reader.query('COMMIT');
    });
    await migrate(url, impatient);
    expect((await withClient(url, applied)).rowCount).toBe(1);
  });

  /** An index on a table that others write stands in `laterIndexes`, so that nobody waits for it. */
  it('builds no index on a table of an earlier migration', async () => {
    for (const file of (await readdir(migrationsDirectory)).filter((one) => one >= '031')) {
      const text = await readFile(join(migrationsDirectory, file), 'utf8');
      const made = [...text.matchAll(/CREATE TABLE (\w+)/g)].map(([, table]) => table);
      const indexed = [...text.matchAll(/CREATE (?:UNIQUE )?INDEX \w+ ON (\w+)/g)].map(([, table]) => table);
      expect(indexed.filter((table) => !made.includes(table))).toEqual([]);
    }
  });
});

describe('an index that came later', () => {
  const validity = (index: string) =>
    withClient(url, async (client) => {
      const found = await client.query('SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)', [
        index,
      ]);
      return found.rows[0]?.indisvalid;
    });

  it.each(
    Object.entries(laterIndexes),
  )('%s: is built again where its building was interrupted', async (index) => {
    expect(await validity(index)).toBe(true);
    await withClient(url, (client) =>
      client.query('UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass($1)', [index]),
    );
    await Promise.all([ensureIndexes(url, 5_000), ensureIndexes(url, 5_000)]);
    await ensureIndexes(url, 5_000);
    expect(await validity(index)).toBe(true);
  });

  it('is built while a row of its table is being written', async () => {
    const [index] = Object.keys(laterIndexes);
    await withClient(url, (client) => client.query(`DROP INDEX ${index}`));
    const building = ensureIndexes(url, 5_000);
    await withClient(url, (client) => client.query("UPDATE mail SET kind = 'x'"));
    await building;
    expect(await validity(String(index))).toBe(true);
  });
});

describe('a connection of the pool', () => {
  it('gives up waiting for a lock, and ends a forgotten transaction', async () => {
    const pool = createPool({ url, max: 2, statementTimeoutMs: 200 });
    const settings = await pool.query<{ setting: string }>(
      "SELECT setting FROM pg_settings WHERE name IN ('lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name",
    );
    expect(settings.rows.map(({ setting }) => setting)).toEqual(['30000', '200']);
    await withClient(url, async (other) => {
      await other.query('BEGIN');
      await other.query('LOCK TABLE mail');
      const waiting = inTransaction(pool, (client) => client.query('SELECT * FROM mail'));
      await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/^(55P03|57014)$/) });
    });
    await pool.end();
  });
});
