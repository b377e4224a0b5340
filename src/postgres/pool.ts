/** The PostgreSQL connection pool, and transactions on it. */
import pg from 'pg';
import { tracing } from '../process/tracing.js';
import { TracedPool } from './traced-pool.js';

export interface PoolOptions {
  readonly url: string;
  /** Most connections. */
  readonly max?: number;
  /** How long a query waits for a connection, milliseconds. */
  readonly connectTimeoutMs?: number;
  /** How long a statement may run, milliseconds. */
  readonly statementTimeoutMs?: number;
  /** Called with errors on idle connections, which would otherwise end the process. */
  readonly onError?: (error: Error) => void;
}

/**
 * How long a statement waits for a lock at most, milliseconds. It then fails and is retried,
 * so that others get their turn.
 */
const lockTimeoutMs = 10_000;
/** How long a transaction may be idle, milliseconds: a forgotten one must not keep its locks. */
const idleInTransactionMs = 30_000;

/** How much longer than the statement timeout the client waits for an answer, milliseconds. */
const silenceMs = 2_000;

/** Opens a pool. Connections are opened when they are needed. */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const Pool = tracing() === undefined ? pg.Pool : TracedPool;
  const pool = new Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    lock_timeout: Math.min(lockTimeoutMs, statementTimeoutMs),
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // The server's own limit does not help where the server is silent: a dead
    // connection must not stay in use.
    query_timeout: statementTimeoutMs + silenceMs,
    keepAlive: true,
    application_name: 'dormouse',
  });
  pool.on('error', (error) => options.onError?.(error));
  return pool;
}

/** Runs `work` in one transaction, and takes it back: for finding out whether it would be taken. @throws what it throws */
export async function rolledBack(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<unknown>,
): Promise<void> {
  const done = new Error('this was only tried');
  try {
    await inTransaction(pool, async (client) => {
      await work(client);
      throw done;
    });
  } catch (error) {
    if (error !== done) throw error;
  }
}

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  // The pool does not listen to a connection in use, and an error without a listener ends the process.
  const onError = () => {
    broken = true;
  };
  // guard: a connection that is cut in mid-transaction ends no process
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    // A connection that can't even roll back is not reused.
    client.off('error', onError);
    client.release(broken);
  }
}
