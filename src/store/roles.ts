/**
 * Two roles on Dormouse's database: the owner, which migrations use, and the runtime role, which worker and gateway use.
 * The second can add to the audit log and read it, and can do nothing else to it: not change, not delete, not empty it,
 * nor take away the triggers that refuse all that.
 */
import pg from 'pg';
import { ConfigError } from '../config.js';

/** What the runtime role may only read and add to. */
export const appendOnlyTables = ['audit', 'audit_head', 'policy', 'tombstone'] as const;
const migrationTable = 'dormouse_migration';

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

/** @returns the role of a connection URL; `undefined` where it names none */
export function roleOf(url: string): string | undefined {
  return decodeURIComponent(new URL(url).username) || undefined;
}

/**
 * Gives a role what worker, gateway and command line need, and takes from it what it must not have. Safe to repeat; to be
 * repeated after each migration.
 * @param ownerUrl connects as the owner of the tables
 * @throws ConfigError where the role does not exist, or could do more than it is granted
 */
export async function grantRuntimeRole(ownerUrl: string, role: string): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await checkRole(client, role);
    const name = client.escapeIdentifier(role);
    await client.query('BEGIN');
    await client.query("SELECT pg_advisory_xact_lock(hashtext('dormouse/roles'))");
    const { rows } = await client.query<{ table: string; database: string }>(
      `SELECT tablename AS table, current_database() AS database FROM pg_tables
       WHERE schemaname = current_schema() AND tableowner = current_user`,
    );
    for (const { table } of rows) {
      const relation = client.escapeIdentifier(table);
      await client.query(`REVOKE ALL ON ${relation} FROM ${name}, PUBLIC`);
      await client.query(`GRANT ${privilegesOn(table)} ON ${relation} TO ${name}`);
    }
    await client.query('COMMIT');
  });
}

function privilegesOn(table: string): string {
  if (table === migrationTable) return 'SELECT';
  const isAppendOnly = appendOnlyTables.some((other) => other === table);
  return isAppendOnly ? 'SELECT, INSERT' : 'SELECT, INSERT, UPDATE, DELETE';
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

/** Whether the role of this connection could change the audit log, were it not for the triggers. */
export async function mayChangeAudit(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ may: boolean }>(
    `SELECT has_table_privilege('audit', 'UPDATE, DELETE, TRUNCATE, TRIGGER')
       OR pg_has_role(relowner, 'MEMBER') AS may
     FROM pg_class WHERE oid = 'audit'::regclass`,
  );
  return rows[0]?.may ?? true;
}
