/** The PostgreSQL connection pool, and transactions on it. */
import pg from 'pg';

export interface PoolOptions {
  readonly url: string;
  /** Connections at most. */
  readonly max?: number;
  /** How long a query waits for a connection, milliseconds. */
  readonly connectTimeoutMs?: number;
  /** How long a statement may run, milliseconds. */
  readonly statementTimeoutMs?: number;
  /** Told of errors on idle connections, which would otherwise end the process. */
  readonly onError?: (error: Error) => void;
}

/** How long a statement waits for a lock, at most, milliseconds: who can't have it makes room, and is tried again. */
const lockTimeoutMs = 10_000;
/** How long a transaction may do nothing, milliseconds: one that was forgotten must not keep its locks. */
const idleInTransactionMs = 30_000;

/** How much longer than a statement may run its answer is waited for, milliseconds. */
const silenceMs = 2_000;

/** Opens a pool. Connections are made when they are needed. */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    lock_timeout: Math.min(lockTimeoutMs, statementTimeoutMs),
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // The server's own limit says nothing where the server is silent: a dead connection must not stay taken.
    query_timeout: statementTimeoutMs + silenceMs,
    keepAlive: true,
    application_name: 'dormouse',
  });
  pool.on('error', (error) => options.onError?.(error));
  return pool;
}

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  // While a connection is taken the pool does not listen to it, and an error without a listener ends the process.
  const onError = () => {
    broken = true;
  };
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
    // A connection that can't even roll back is not given to the next caller.
    client.off('error', onError);
    client.release(broken);
  }
}
