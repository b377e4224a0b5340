/** Ensures, when a process starts, that the database has the schema that this build needs. */
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import pg from 'pg';
import { ConfigError } from '../config.js';
import { migrate, migrationsDirectory } from './migrate.js';
import { grantRole, roleOf, withClient } from './roles.js';

export interface DatabaseUrls {
  /** The role of worker, gateway and command line. */
  readonly url: string;
  /** The role of migrations: the owner of the tables. Absent: `url`. */
  readonly migrationUrl: string | undefined;
}

/**
 * Migrates as the owner and grants the runtime role its rights. A process that only has the runtime role
 * migrates nothing, and reports what is missing.
 * @throws ConfigError naming the way out
 */
export async function prepareDatabase({ url, migrationUrl }: DatabaseUrls): Promise<void> {
  if (migrationUrl !== undefined) {
    await migrate(migrationUrl);
    const role = roleOf(url);
    if (role !== undefined && role !== roleOf(migrationUrl)) await grantRole(migrationUrl, role, 'runtime');
    return;
  }
  const applied = await readForeignMigrations(url);
  if (applied === undefined) return migrate(url);
  const missing = await notAmong(applied);
  if (missing.length === 0) return;
  throw new ConfigError(
    `The database lacks ${missing.join(', ')}, and the role of DORMOUSE_POSTGRES_URL does not own its tables. ` +
      'Run "dormouse database migrate" with DORMOUSE_POSTGRES_MIGRATION_URL set to a connection URL of their owner.',
  );
}

/**
 * @returns the migrations of this build that the database lacks, in order. One of a later build may be there: a release is taken back
 * without its tables.
 */
export async function missingMigrations(pool: pg.Pool): Promise<string[]> {
  const applied = await pool.query<{ name: string }>('SELECT name FROM dormouse_migration');
  return notAmong(applied.rows.map(({ name }) => name));
}

async function notAmong(applied: readonly string[]): Promise<string[]> {
  const files = await readdir(migrationsDirectory);
  return files
    .map((file) => basename(file, '.sql'))
    .filter((name) => !applied.includes(name))
    .sort();
}

/**
 * @returns the migrations in a schema that another role owns; `undefined` where this role
 * owns the schema, or may create it
 */
async function readForeignMigrations(url: string): Promise<string[] | undefined> {
  return withClient(url, async (client) => {
    try {
      const { rows } = await client.query<{ foreign: boolean }>(
        "SELECT NOT pg_has_role(relowner, 'USAGE') AS foreign FROM pg_class WHERE oid = to_regclass('dormouse_migration')",
      );
      if (rows[0]?.foreign !== true) return undefined;
      const applied = await client.query<{ name: string }>('SELECT name FROM dormouse_migration');
      return applied.rows.map(({ name }) => name);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
      throw new ConfigError(
        'The role of DORMOUSE_POSTGRES_URL was never granted anything. Run "dormouse database migrate" as the owner of the tables.',
      );
    }
  });
}
