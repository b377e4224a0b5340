/**
 * Three roles on Dormouse's database: the owner, which migrations use; the runtime role, which worker,
 * gateway and command line use; and the role of an app, which writes signs of life and reads standings. The
 * runtime role must not be able to forge audit entries, heads, policies, releases of the breaker, and answers
 * of mail servers. It writes these only by functions of the owner (migration 031).
 */
import pg from 'pg';
import { ConfigError } from '../config.js';

type Privileges = Readonly<Record<string, string>>;

/** What a guard writes of a session. Its end is not among it. */
const sessionWrites =
  'INSERT (session_id, identity_id, authenticated_at, last_active_at, devices, roles, assurance, policy_id), UPDATE (authenticated_at, last_active_at, lease_beat_at, devices, roles, assurance, login_sids, closed_at)';

/** Rights of the runtime role, on tables where it may not do everything. */
const runtimeTables: Privileges = {
  dormouse_migration: 'SELECT',
  // guard: audit: the runtime role may only add
  audit: 'SELECT',
  audit_head: 'SELECT',
  audit_checkpoint: 'SELECT',
  policy: 'SELECT',
  policy_preview: 'SELECT, INSERT, DELETE, UPDATE (made_at)',
  tombstone: 'SELECT, INSERT',
  // A month that was sent is not sent again.
  month_report: 'SELECT, INSERT',
  breaker_trip: 'SELECT, INSERT (scope, cause, why, tripped_at, operators, acts)',
  breaker_release: 'SELECT',
  breaker_release_vote: 'SELECT',
  breaker_pass: 'SELECT',
  mail: 'SELECT, DELETE',
  // A session or a family ends by a function of the owner, with its entry in the log.
  idle_session: `SELECT, DELETE, ${sessionWrites}`,
  // A use ends by a function of the owner.
  token_use: 'SELECT, DELETE, INSERT (use_key, identity_id, started_at, last_used_at), UPDATE (last_used_at)',
  // A token begins and ends by functions of the owner, with their entries in the log.
  personal_token: 'SELECT, DELETE, UPDATE (last_used_at)',
  // Its hash changes by a function of the owner too, which takes a proof of the token.
  refresh_family: 'SELECT, DELETE, UPDATE (closed_at, last_used_at, policy_id, notice_id, told_at)',
  // The same for the gateway's own credentials.
  credential: 'SELECT, DELETE, UPDATE (last_used_at)',
};

/** Rights of an app's role, on the tables that it uses. */
const appTables: Privileges = {
  dormouse_migration: 'SELECT',
  identity_activity: 'SELECT, INSERT, UPDATE',
  activity_signal: 'SELECT, INSERT, UPDATE',
  activity_feed: 'SELECT, INSERT, UPDATE',
  activity_mark: 'SELECT, INSERT, UPDATE, DELETE',
  standing: 'SELECT',
  revocation: 'SELECT',
  policy: 'SELECT',
  idle_session: `SELECT, ${sessionWrites}`,
  idle_choice: 'SELECT, INSERT, UPDATE',
  token_use: 'SELECT, INSERT (use_key, identity_id, started_at, last_used_at), UPDATE (last_used_at)',
  request_log: 'SELECT, INSERT',
  admission_change: 'SELECT',
  personal_token: 'SELECT, UPDATE (last_used_at)',
  // guard: refresh: an app may write nothing of a family
  refresh_family: 'SELECT',
  refresh_consent: 'SELECT, INSERT, UPDATE',
};

/** Functions of the owner that an app's role may call. */
const appFunctions = [
  'idle_session_end',
  'token_refuse',
  'personal_token_create',
  'personal_token_rotate',
  'personal_token_revoke',
  'personal_token_follow_roles',
  'refresh_family_start',
  'refresh_family_end',
  'refresh_family_lock',
  'refresh_family_claim',
  'refresh_family_cut',
];

export type RoleKind = 'runtime' | 'app';

/** Runs `work` on one connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** @returns the role of a connection URL; `undefined` where there is none */
export function roleOf(url: string): string | undefined {
  return decodeURIComponent(new URL(url).username) || undefined;
}

/**
 * Grants a role the rights that it needs, and revokes those that it must not have. Safe to repeat; to be
 * repeated after each migration.
 * @param ownerUrl connects as the owner of the tables
 * @throws ConfigError where the role does not exist, or has more rights than it is granted
 */
export async function grantRole(ownerUrl: string, role: string, kind: RoleKind): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await checkRole(client, role);
    const name = client.escapeIdentifier(role);
    await client.query('BEGIN');
    await client.query("SELECT pg_advisory_xact_lock(hashtext('dormouse/roles'))");
    const tables = await client.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND tableowner = current_user',
    );
    for (const { name: table } of tables.rows) {
      const relation = client.escapeIdentifier(table);
      await client.query(`REVOKE ALL ON ${relation} FROM ${name}, PUBLIC`);
      const privileges = privilegesOn(table, kind);
      if (privileges !== undefined) await client.query(`GRANT ${privileges} ON ${relation} TO ${name}`);
    }
    const functions = await client.query<{ signature: string }>(
      `SELECT oid::regprocedure::text AS signature FROM pg_proc
       WHERE pronamespace = current_schema()::regnamespace AND prosecdef AND pg_get_userbyid(proowner) = current_user`,
    );
    for (const { signature } of functions.rows) {
      await client.query(`REVOKE ALL ON FUNCTION ${signature} FROM ${name}, PUBLIC`);
      const isGranted = kind === 'runtime' || appFunctions.includes(signature.split('(', 1)[0] ?? '');
      if (isGranted) await client.query(`GRANT EXECUTE ON FUNCTION ${signature} TO ${name}`);
    }
    await client.query('COMMIT');
  });
}

function privilegesOn(table: string, kind: RoleKind): string | undefined {
  // guard: roles: an app's role has no more than it needs
  if (kind === 'app') return appTables[table];
  return runtimeTables[table] ?? 'SELECT, INSERT, UPDATE, DELETE';
}

async function checkRole(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ owner: boolean; powerful: boolean }>(
    `SELECT pg_has_role(rolname, current_user, 'MEMBER') AS owner,
       rolsuper OR pg_has_role(rolname, 'pg_write_all_data', 'MEMBER') AS powerful
     FROM pg_roles WHERE rolname = $1`,
    [role],
  );
  const [found] = rows;
  if (found === undefined) {
    throw new ConfigError(
      `there is no role "${role}". Create it first: CREATE ROLE ${role} LOGIN PASSWORD '…'`,
    );
  }
  if (found.powerful) {
    throw new ConfigError(
      `the role "${role}" is a superuser, or may write all data: nothing can be kept from it`,
    );
  }
  if (found.owner) {
    throw new ConfigError(
      `the role "${role}" owns the tables, or is a member of their owner: it could take the protection away. Use another one`,
    );
  }
}

/** Whether the role of this connection could change the audit log if there were no triggers. */
export async function mayChangeAudit(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ may: boolean }>(
    `SELECT has_table_privilege('audit', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
       OR pg_has_role(relowner, 'MEMBER') AS may
     FROM pg_class WHERE oid = 'audit'::regclass`,
  );
  return rows[0]?.may ?? true;
}
