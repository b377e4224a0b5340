/** A migrated database of its own, with the role of an app beside its owner. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { grantRole } from '../../src/postgres/roles.js';
import { openFreshDatabase } from './system-database.js';

export interface AppDatabase {
  /** As the owner of the tables. */
  readonly pool: pg.Pool;
  readonly ownerUrl: string;
  /** As the role of an app. */
  readonly appUrl: string;
  close(): Promise<void>;
}

export async function openAppDatabase(): Promise<AppDatabase> {
  const { pool, url: ownerUrl, close } = await openFreshDatabase();
  const role = `app_${randomBytes(6).toString('hex')}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
  await grantRole(ownerUrl, role, 'app');
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = 'app';
  return {
    pool,
    ownerUrl,
    appUrl: url.href,
    async close() {
      await pool.query(`DROP OWNED BY ${role}`);
      await pool.query(`DROP ROLE ${role}`);
      await close();
    },
  };
}
