/** Kratos' own database, for what no interface of Kratos lets a test do. */
import pg from 'pg';
import type { StackInfo } from '../../dev/stack/index.js';

/** Kratos keeps its tables in a database of its own on the stack's server. */
export function openKratosDatabase(stack: StackInfo): pg.Pool {
  const url = new URL(stack.postgres.url);
  url.pathname = '/kratos';
  return new pg.Pool({ connectionString: url.href, max: 2 });
}

/** Kratos remembers each sign-in of the session as so much longer ago. */
export async function ageSession(pool: pg.Pool, sessionId: string, ms: number): Promise<void> {
  await pool.query(
    `UPDATE sessions SET authenticated_at = authenticated_at - $2::interval, authentication_methods = (
       SELECT json_agg(jsonb_set(method, '{completed_at}', to_jsonb((method ->> 'completed_at')::timestamptz - $2::interval)))
       FROM jsonb_array_elements(authentication_methods::jsonb) AS methods (method))
     WHERE id = $1`,
    [sessionId, `${ms} milliseconds`],
  );
}

/** Removes the identities of earlier test files, which a sweep of the whole directory would meet. */
export async function emptyDirectory(stack: StackInfo): Promise<void> {
  const pool = openKratosDatabase(stack);
  await pool.query('DELETE FROM identities');
  await pool.end();
  const shared = new pg.Pool({ connectionString: stack.postgres.url, max: 1 });
  await forgetWitnesses(shared);
  await shared.end();
}

/** As in a new installation: identities that other tests deleted would make every absence doubtful. */
export async function forgetWitnesses(pool: pg.Pool): Promise<void> {
  await pool.query('DELETE FROM kratos_witness');
}
