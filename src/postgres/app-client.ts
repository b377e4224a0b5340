/** One connection to another app's database. pg only. */
import pg from 'pg';

/** How long a connection may take, milliseconds. */
const connectTimeoutMs = 5_000;
/** How much longer than the server's own timeout an answer may take, milliseconds. */
const answerMarginMs = 2_000;

/**
 * @param of.statementTimeout milliseconds, as the caller sets it in its transactions
 * @param of.purpose what the app's operators see in `pg_stat_activity`
 */
export function createAppClient(of: {
  readonly connectionUrl: string;
  readonly statementTimeout: number;
  readonly purpose: string;
}): pg.Client {
  const client = new pg.Client({
    connectionString: of.connectionUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: of.statementTimeout + answerMarginMs,
    keepAlive: true,
    application_name: `dormouse ${of.purpose}`,
  });
  // A connection that breaks between two statements fails at the next one.
  client.on('error', () => undefined);
  return client;
}
