/** Kratos' own database, for what no interface of Kratos lets a test do. */
import pg from 'pg';
import type { StackInfo } from '../../dev/stack/index.js';

/** Kratos keeps its tables in a database of its own on the stack's server. */
export function openKratosDatabase(stack: StackInfo): pg.Pool {
  const url = new URL(stack.postgres.url);
  url.pathname = '/kratos';
  return new pg.Pool({ connectionString: url.href, max: 2 });
}

/** Takes away whom the test files before left behind: whoever sweeps the whole directory would meet them all. */
export async function emptyDirectory(stack: StackInfo): Promise<void> {
  const pool = openKratosDatabase(stack);
  await pool.query('DELETE FROM identities');
  await pool.end();
  const shared = new pg.Pool({ connectionString: stack.postgres.url, max: 1 });
  await forgetWitnesses(shared);
  await shared.end();
}

/** As in an installation that has seen nobody yet: those whom other tests deleted would make every absence doubtful. */
export async function forgetWitnesses(pool: pg.Pool): Promise<void> {
  await pool.query('DELETE FROM kratos_witness');
}
