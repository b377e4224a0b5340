/**
 * Forgets what has served its time, so that no table grows for ever. What says how somebody stands, or protects them, has no time
 * here: it goes with the identity. The audit log is pruned by its owner only (src/audit/prune-log.ts).
 */
import type pg from 'pg';

export interface Retention {
  /** How long mails of absences that are over are kept, milliseconds. */
  readonly mailsMs: number;
  /** How long sweeps, released trips of the breaker, undeliverable events, the feed and spent postponements are kept, milliseconds. */
  readonly operationsMs: number;
}

/** Rows of a table that go in one statement: what is left goes in the next pass. */
const atMost = 5_000;

/**
 * One pass.
 * @param now epoch milliseconds
 * @returns how many rows went, by table
 */
export async function forgetOld(
  pool: pg.Pool,
  { mailsMs, operationsMs }: Retention,
  now: number,
): Promise<Record<string, number>> {
  const operations = new Date(now - operationsMs);
  const forgotten: Record<string, number> = {
    mail: await forgetMails(pool, new Date(now - mailsMs)),
    reconciliation: await remove(pool, 'reconciliation', 'ended_at < $1', operations),
    signal_outbox: await remove(pool, 'signal_outbox', "state = 'parked' AND settled_at < $1", operations),
    activity_feed: await remove(pool, 'activity_feed', 'hour < $1', operations),
    postponement: await remove(pool, 'postponement', 'until_at < $1', operations),
    breaker_trip: await forgetTrips(pool, operations),
  };
  return Object.fromEntries(Object.entries(forgotten).filter(([, rows]) => rows > 0));
}

/** @param condition of our own, with the time as $1 */
async function remove(pool: pg.Pool, table: string, condition: string, before: Date): Promise<number> {
  const gone = await pool.query(
    `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [before, atMost],
  );
  return gone.rowCount ?? 0;
}

/**
 * Mails from before the person was last seen: nothing rests on their proof any more. Those that came back stay, for as long as the
 * address does: they say that it is dead.
 */
async function forgetMails(pool: pg.Pool, before: Date): Promise<number> {
  const gone = await pool.query(
    `DELETE FROM mail WHERE message_key = ANY(ARRAY(
       SELECT message_key FROM mail JOIN standing USING (identity_id)
       WHERE settled_at < $1 AND settled_at < standing.last_active_at AND bounce_class IS NULL LIMIT $2))`,
    [before, atMost],
  );
  return gone.rowCount ?? 0;
}

async function forgetTrips(pool: pg.Pool, before: Date): Promise<number> {
  const { rows } = await pool.query<{ gone: string }>('SELECT breaker_forget($1) AS gone', [before]);
  return Number(rows[0]?.gone ?? 0);
}
