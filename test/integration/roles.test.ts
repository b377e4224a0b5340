/**
 * What the runtime role can't do. That it can do its work is shown by the tests of the ladder, of crashes and of the
 * gateway: their workers and gateways connect as this role.
 */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { entryText } from '../../src/audit/chain.js';
import { appendAudit, appendAuditWithin } from '../../src/audit/log-table.js';
import { signLatestHead } from '../../src/audit/sign-heads.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { createDormouse } from '../../src/client/direct.js';
import { ConfigError } from '../../src/config.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { createPool } from '../../src/postgres/pool.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { grantRole, mayChangeAudit } from '../../src/postgres/roles.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { auditEntry } from '../support/audit-forger.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh, unknownId } from '../support/system-outside.js';

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
    "INSERT INTO audit SELECT 9223372036854775807, 'last', event_type, target, actor, occurred_at, policy_id, policy_version, stage, days_inactive, outcome, detail, canonical, previous_hash, hash FROM audit LIMIT 1",
    "INSERT INTO audit_head SELECT 9223372036854775807, hash, now(), key_id, 'forged' FROM audit_head",
    "INSERT INTO policy VALUES ('default', 1, 'x', 'id: x', now())",
    "INSERT INTO breaker_release (trip_id, reason, proposed_at, effective_at) VALUES (1, 'x', now(), now())",
    "INSERT INTO breaker_release_vote VALUES (1, 'x', now())",
    'INSERT INTO breaker_pass VALUES (1, 1, gen_random_uuid())',
    'UPDATE breaker_trip SET released_at = now()',
    "INSERT INTO breaker_trip (scope, cause, why, tripped_at, operators, released_at) VALUES ('delete', 'limit', 'x', now(), 1, now())",
    "UPDATE mail SET state = 'accepted'",
    "INSERT INTO mail (message_key, request_key, identity_id, kind, message_id, state, attempts, first_tried_at) VALUES ('x', 'x', gen_random_uuid(), 'warning', 'x', 'accepted', 1, now())",
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

  it('can put no table of its own in the place of ours', async () => {
    const client = await runtime.connect();
    try {
      await client.query('BEGIN');
      await client.query('CREATE TEMPORARY TABLE audit (LIKE public.audit)');
      await client.query('SET LOCAL search_path = pg_temp, public');
      const appended = await appendAuditWithin(client, [auditEntry()]);
      expect(appended).toEqual([expect.objectContaining({ seq: 3 })]);
      expect((await client.query('SELECT * FROM pg_temp.audit')).rows).toEqual([]);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  it('every function that acts for the owner looks for temporary tables last', async () => {
    const found = await runtime.query<{ name: string }>(
      `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
       AND NOT coalesce(proconfig @> ARRAY['search_path=public, pg_temp'], false)`,
    );
    expect(found.rows).toEqual([]);
  });

  it('runs no code of its own as the owner, by a trigger on a temporary tombstone', async () => {
    const client = await runtime.connect();
    try {
      await client.query('BEGIN');
      await client.query('CREATE TEMPORARY TABLE tombstone (LIKE public.tombstone)');
      await client.query('CREATE TEMPORARY TABLE ran_as (who text)');
      await client.query('GRANT ALL ON ran_as TO PUBLIC');
      await client.query(`CREATE FUNCTION pg_temp.run() RETURNS trigger LANGUAGE plpgsql AS $run$
        BEGIN INSERT INTO pg_temp.ran_as VALUES (current_user); RETURN OLD; END $run$`);
      await client.query(
        'CREATE TRIGGER run BEFORE DELETE ON pg_temp.tombstone FOR EACH ROW EXECUTE FUNCTION pg_temp.run()',
      );
      const id = unknownId();
      await client.query(
        "INSERT INTO pg_temp.tombstone (identity_id, deleted_at, action) VALUES ($1, now(), 'delete')",
        [id],
      );
      await client.query('SELECT lift_tombstone($1)', [id]);
      expect((await client.query('SELECT who FROM ran_as')).rows).toEqual([]);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  const text = entryText(auditEntry());
  it.each([
    ['a place of its own', `[9,${text.slice(1)}`],
    ['too few fields', '["a"]'],
    ['space in front', ` ${text}`],
    ['a number where a text belongs', text.replace('"revoked"', '5')],
    ['a target in capitals', entryText(auditEntry({ target: 'ABCDEFAB-0000-4000-8000-000000000000' }))],
    ['a time with a fraction', text.replace('678,', '678.5,')],
    ['what is no JSON', 'x'],
    ['nothing', '[]'],
  ])('appends no entry with %s: the chain would look broken by it', async (_what, forged) => {
    expect(forged).not.toBe(text);
    await expect(runtime.query('SELECT * FROM audit_append($1)', [[forged]])).rejects.toMatchObject({
      code: expect.stringMatching(/^22/),
    });
    expect(await verifyAudit(runtime)).toEqual({ rows: 2 });
  });

  it('publishes no policy without an entry in the log that names who did', async () => {
    const added = await runtime.query(
      "SELECT * FROM policy_add('forged', 'id: x', 'policy_published', 'x', 'mallory', 'r', 0)",
    );
    expect(added.rows).toMatchObject([{ added: 1 }]);
    const { rows } = await runtime.query("SELECT event_type, actor FROM audit WHERE policy_id = 'forged'");
    expect(rows).toEqual([{ event_type: 'policy_published', actor: 'mallory' }]);
    expect(await verifyAudit(runtime)).toEqual({ rows: 3 });
  });

  it('can give itself nothing', async () => {
    // PostgreSQL only warns when a role grants a privilege that it does not own.
    await runtime.query('GRANT ALL ON audit TO CURRENT_USER').catch(() => undefined);
    await expect(runtime.query('DELETE FROM audit')).rejects.toMatchObject({ code: insufficientPrivilege });
  });

  it('is refused even where the triggers are gone', async () => {
    await database.pool.query('ALTER TABLE audit DISABLE TRIGGER ALL');
    await expect(runtime.query('DELETE FROM audit')).rejects.toMatchObject({ code: insufficientPrivilege });
    await database.pool.query('ALTER TABLE audit ENABLE TRIGGER ALL');
  });

  it('is distinguished from a role that could change the log', async () => {
    expect(await mayChangeAudit(runtime)).toBe(false);
    expect(await mayChangeAudit(database.pool)).toBe(true);
    await database.pool.query(`GRANT DELETE ON audit TO ${roles[0]}`);
    expect(await mayChangeAudit(runtime)).toBe(true);
    await grantRole(database.url, roles[0] ?? '', 'runtime');
    expect(await mayChangeAudit(runtime)).toBe(false);
  });

  it('is what the workers and gateways of the other tests connect as', async () => {
    const pool = createPool({ url: inject('environment').DORMOUSE_POSTGRES_URL ?? '' });
    expect(inject('environment').DORMOUSE_POSTGRES_URL).toBe(inject('stack').postgres.runtimeUrl);
    expect(await mayChangeAudit(pool)).toBe(false);
    await pool.end();
  });
});

describe('the role of an app', () => {
  it('writes signs of life and reads standings, by the client', async () => {
    const { role, url } = await createRole();
    await grantRole(database.url, role, 'app');
    const identityId = unknownId();
    const app = createDormouse({
      temporal: inject('stack').temporal,
      postgresUrl: url,
      taskQueue: fresh('app'),
    });
    try {
      expect(await app.recordActivity(identityId, { kind: 'human', source: 'app' })).toBe('recorded');
      expect(await readSigns(database.pool, identityId)).toMatchObject({ human: expect.any(Number) });
      expect(await app.standing(identityId)).toBeUndefined();
      expect(await app.revokedBefore(identityId)).toBeUndefined();
    } finally {
      await app.close();
    }
  });

  it('does nothing else', async () => {
    const { role, url } = await createRole();
    await grantRole(database.url, role, 'app');
    const pool = createPool({ url });
    try {
      const tables = await database.pool.query<{ name: string }>(
        'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
      );
      const open: Record<string, string> = {};
      for (const { name } of tables.rows) {
        const may: string[] = [];
        for (const privilege of [
          'SELECT',
          'INSERT',
          'UPDATE',
          'DELETE',
          'TRUNCATE',
          'REFERENCES',
          'TRIGGER',
        ]) {
          const { rows } = await pool
            .query<{ may: boolean }>('SELECT has_any_column_privilege($1, $2) AS may', [name, privilege])
            .catch(() =>
              pool.query<{ may: boolean }>('SELECT has_table_privilege($1, $2) AS may', [name, privilege]),
            );
          if (rows[0]?.may === true) may.push(privilege);
        }
        if (may.length > 0) open[name] = may.join(' ');
      }
      expect(open).toEqual({
        admission_change: 'SELECT',
        activity_feed: 'SELECT INSERT UPDATE',
        activity_mark: 'SELECT INSERT UPDATE DELETE',
        activity_signal: 'SELECT INSERT UPDATE',
        dormouse_migration: 'SELECT',
        idle_choice: 'SELECT INSERT UPDATE',
        idle_session: 'SELECT INSERT UPDATE',
        identity_activity: 'SELECT INSERT UPDATE',
        personal_token: 'SELECT UPDATE',
        policy: 'SELECT',
        refresh_consent: 'SELECT INSERT UPDATE',
        refresh_family: 'SELECT',
        request_log: 'SELECT INSERT',
        revocation: 'SELECT',
        standing: 'SELECT',
        token_use: 'SELECT INSERT UPDATE',
      });
      const functions = await pool.query(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef AND has_function_privilege(oid, 'EXECUTE') ORDER BY proname",
      );
      expect(functions.rows.map(({ proname }) => proname)).toEqual([
        'idle_session_end',
        'personal_token_create',
        'personal_token_follow_roles',
        'personal_token_revoke',
        'personal_token_rotate',
        'refresh_family_claim',
        'refresh_family_cut',
        'refresh_family_end',
        'refresh_family_lock',
        'refresh_family_start',
        'token_refuse',
      ]);
    } finally {
      await pool.end();
    }
  });
});

describe('grantRole', () => {
  it.each([
    ['a superuser', 'SUPERUSER', /is a superuser/],
    ['who may write all data', 'IN ROLE pg_write_all_data', /may write all data/],
  ])('refuses %s', async (_what, options, message) => {
    const { role } = await createRole(options);
    await expect(grantRole(database.url, role, 'runtime')).rejects.toThrow(message);
  });

  it('refuses a member of the owner, and a role that does not exist', async () => {
    const { url: ownerUrl, role: owner } = await createRole();
    const { role } = await createRole(`IN ROLE ${owner}`);
    await expect(grantRole(ownerUrl, role, 'runtime')).rejects.toThrow(/is a member of their owner/);
    await expect(grantRole(ownerUrl, owner, 'runtime')).rejects.toThrow(/owns the tables/);
    await expect(grantRole(ownerUrl, 'nobody_at_all', 'runtime')).rejects.toThrow(/there is no role/);
  });

  it('may be called by many processes at once', async () => {
    const role = roles[0] ?? '';
    await Promise.all(Array.from({ length: 6 }, () => grantRole(database.url, role, 'runtime')));
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

  it('recognises a role without any grants', async () => {
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

  it('works as before with one role for everything', async () => {
    const other = await openFreshDatabase();
    await expect(prepareDatabase({ url: other.url, migrationUrl: undefined })).resolves.toBeUndefined();
    await expect(prepareDatabase({ url: other.url, migrationUrl: other.url })).resolves.toBeUndefined();
    expect(await mayChangeAudit(other.pool)).toBe(true);
    await other.close();
  });
});
