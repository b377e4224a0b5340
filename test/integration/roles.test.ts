/**
 * What the runtime role can't do. That it can do its work is shown by the tests of the ladder, of crashes and of the
 * gateway: their workers and gateways connect as this role.
 */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { signLatestHead } from '../../src/audit/sign-heads.js';
import { ConfigError } from '../../src/config.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { appendAudit } from '../../src/store/audit-log.js';
import { verifyAudit } from '../../src/store/audit-verification.js';
import { createPool } from '../../src/store/pool.js';
import { prepareDatabase } from '../../src/store/prepare.js';
import { grantRuntimeRole, mayChangeAudit } from '../../src/store/roles.js';
import { auditEntry } from '../support/audit-forger.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh } from '../support/system-outside.js';

let database: FreshDatabase;
let runtime: pg.Pool;
let runtimeUrl: string;
const roles: string[] = [];

/** Creates a role; dropped at the end. @returns its name and the URL that connects as it */
async function createRole(options = ''): Promise<{ role: string; url: string }> {
  const role = fresh('role').replace('-', '_');
  await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret' ${options}`);
  roles.push(role);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  return { role, url: url.href };
}

beforeAll(async () => {
  database = await openFreshDatabase();
  const { url } = await createRole();
  runtimeUrl = url;
  await prepareDatabase({ url, migrationUrl: database.url });
  runtime = createPool({ url });
  await appendAudit(runtime, [auditEntry(), auditEntry()]);
  await signLatestHead(runtime, generateSigningKey('ed25519'), 1_000);
});
afterAll(async () => {
  await runtime.end();
  for (const role of roles) {
    await database.pool.query(`DROP OWNED BY ${role}`);
    await database.pool.query(`DROP ROLE ${role}`);
  }
  await database.close();
});

const insufficientPrivilege = '42501';

describe('the runtime role', () => {
  it.each([
    "UPDATE audit SET outcome = 'x'",
    'DELETE FROM audit',
    'TRUNCATE audit',
    "INSERT INTO audit SELECT * FROM audit ON CONFLICT (seq) DO UPDATE SET outcome = 'x'",
    'ALTER TABLE audit DISABLE TRIGGER audit_no_change',
    'ALTER TABLE audit DISABLE TRIGGER ALL',
    'ALTER TABLE audit DROP COLUMN hash',
    'DROP TRIGGER audit_no_change ON audit',
    'DROP TABLE audit',
    'DROP FUNCTION audit_is_append_only() CASCADE',
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    'CREATE TRIGGER mine BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()',
    'CREATE RULE mine AS ON INSERT TO audit DO INSTEAD NOTHING',
    'CREATE INDEX mine ON audit (outcome)',
    'CREATE TABLE public.mine ()',
    "SET session_replication_role = 'replica'",
    'SET ROLE dormouse',
    'ALTER TABLE audit OWNER TO CURRENT_USER',
    'UPDATE audit_head SET seq = 5',
    'DELETE FROM audit_head',
    'TRUNCATE audit_head',
    'DROP TRIGGER audit_head_no_change ON audit_head',
    "UPDATE policy SET source = 'x'",
    'DELETE FROM tombstone',
    'DELETE FROM dormouse_migration',
  ])('may not: %s', async (statement) => {
    await expect(runtime.query(statement)).rejects.toMatchObject({ code: insufficientPrivilege });
    expect(await verifyAudit(runtime)).toEqual({ rows: 2 });
  });

  it('can give itself nothing', async () => {
    // PostgreSQL answers with a warning where somebody grants what is not theirs.
    await runtime.query('GRANT ALL ON audit TO CURRENT_USER').catch(() => undefined);
    await expect(runtime.query('DELETE FROM audit')).rejects.toMatchObject({ code: insufficientPrivilege });
  });

  it('is refused even where the triggers are gone', async () => {
    await database.pool.query('ALTER TABLE audit DISABLE TRIGGER ALL');
    await expect(runtime.query('DELETE FROM audit')).rejects.toMatchObject({ code: insufficientPrivilege });
    await database.pool.query('ALTER TABLE audit ENABLE TRIGGER ALL');
  });

  it('is told apart from one that could change the log', async () => {
    expect(await mayChangeAudit(runtime)).toBe(false);
    expect(await mayChangeAudit(database.pool)).toBe(true);
    await database.pool.query(`GRANT DELETE ON audit TO ${roles[0]}`);
    expect(await mayChangeAudit(runtime)).toBe(true);
    await grantRuntimeRole(database.url, roles[0] ?? '');
    expect(await mayChangeAudit(runtime)).toBe(false);
  });

  it('is what the workers and gateways of the other tests connect as', async () => {
    const pool = createPool({ url: inject('environment').DORMOUSE_POSTGRES_URL ?? '' });
    expect(inject('environment').DORMOUSE_POSTGRES_URL).toBe(inject('stack').postgres.runtimeUrl);
    expect(await mayChangeAudit(pool)).toBe(false);
    await pool.end();
  });
});

describe('grantRuntimeRole', () => {
  it.each([
    ['a superuser', 'SUPERUSER', /is a superuser/],
    ['who may write all data', 'IN ROLE pg_write_all_data', /may write all data/],
  ])('refuses %s', async (_what, options, message) => {
    const { role } = await createRole(options);
    await expect(grantRuntimeRole(database.url, role)).rejects.toThrow(message);
  });

  it('refuses a member of the owner, and a role that does not exist', async () => {
    const { url: ownerUrl, role: owner } = await createRole();
    const { role } = await createRole(`IN ROLE ${owner}`);
    await expect(grantRuntimeRole(ownerUrl, role)).rejects.toThrow(/is a member of their owner/);
    await expect(grantRuntimeRole(ownerUrl, owner)).rejects.toThrow(/owns the tables/);
    await expect(grantRuntimeRole(ownerUrl, 'nobody_at_all')).rejects.toThrow(/there is no role/);
  });

  it('may be called by many processes at once', async () => {
    const role = roles[0] ?? '';
    await Promise.all(Array.from({ length: 6 }, () => grantRuntimeRole(database.url, role)));
    expect(await mayChangeAudit(runtime)).toBe(false);
    expect(await appendAudit(runtime, [])).toBe(0);
  });
});

describe('prepareDatabase', () => {
  it('migrates nothing as the runtime role, and is content with a whole schema', async () => {
    await expect(prepareDatabase({ url: runtimeUrl, migrationUrl: undefined })).resolves.toBeUndefined();
  });

  it('names what is missing, and the way out', async () => {
    const name = '007_audit_heads';
    const rename = 'UPDATE dormouse_migration SET name = $2 WHERE name = $1';
    await database.pool.query(rename, [name, 'not run']);
    const work = prepareDatabase({ url: runtimeUrl, migrationUrl: undefined });
    await expect(work).rejects.toThrow(ConfigError);
    await expect(work).rejects.toThrow(/lacks 007_audit_heads.*dormouse database migrate/);
    await database.pool.query(rename, ['not run', name]);
  });

  it('tells a role that was never granted anything', async () => {
    const { url } = await createRole();
    await expect(prepareDatabase({ url, migrationUrl: undefined })).rejects.toThrow(/never granted anything/);
  });

  it('grants what a later migration adds', async () => {
    await database.pool.query('CREATE TABLE later ()');
    await expect(runtime.query('SELECT FROM later')).rejects.toMatchObject({ code: insufficientPrivilege });
    await prepareDatabase({ url: runtimeUrl, migrationUrl: database.url });
    expect((await runtime.query('SELECT FROM later')).rows).toEqual([]);
    await database.pool.query('DROP TABLE later');
  });

  it('is what it was where one role does it all', async () => {
    const other = await openFreshDatabase();
    await expect(prepareDatabase({ url: other.url, migrationUrl: undefined })).resolves.toBeUndefined();
    await expect(prepareDatabase({ url: other.url, migrationUrl: other.url })).resolves.toBeUndefined();
    expect(await mayChangeAudit(other.pool)).toBe(true);
    await other.close();
  });
});
